-- Digests of the newest messages of MQTT meters that were recorded, oldest first (edge.meters.publications).
CREATE TABLE message (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    meter_id TEXT NOT NULL,
    digest BLOB NOT NULL,
    UNIQUE (meter_id, digest)
) STRICT;
