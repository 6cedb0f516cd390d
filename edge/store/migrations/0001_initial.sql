-- The agent's ledger: what was read (record), what was signed (frame), and what a meter said last (counter).
CREATE TABLE meta (name TEXT PRIMARY KEY, value BLOB NOT NULL) WITHOUT ROWID, STRICT;

-- A meter index is given once and never again.
CREATE TABLE meter (
    meter_index INTEGER PRIMARY KEY,
    meter_id TEXT NOT NULL,
    serial TEXT NOT NULL,
    profile TEXT NOT NULL,
    profile_hash BLOB NOT NULL,
    UNIQUE (meter_id, serial, profile_hash)
) STRICT;

CREATE TABLE counter (
    meter_id TEXT PRIMARY KEY,
    meter_index INTEGER NOT NULL,
    sequence INTEGER NOT NULL,
    read_at_ms INTEGER NOT NULL,
    import_wh INTEGER NOT NULL,
    export_wh INTEGER NOT NULL,
    serial TEXT NOT NULL
) WITHOUT ROWID, STRICT;

-- Durable, not yet sealed.
CREATE TABLE record (id INTEGER PRIMARY KEY AUTOINCREMENT, body BLOB NOT NULL) STRICT;

-- Signed; stored_at_ms is set by the hub's receipt.
CREATE TABLE frame (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    boot_id BLOB NOT NULL,
    sequence INTEGER NOT NULL,
    header BLOB NOT NULL,
    signature BLOB NOT NULL,
    body BLOB NOT NULL,
    sealed_at_ms INTEGER NOT NULL,
    stored_at_ms INTEGER,
    UNIQUE (boot_id, sequence)
) STRICT;
CREATE INDEX frame_waiting ON frame (id) WHERE stored_at_ms IS NULL;
