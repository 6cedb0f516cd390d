-- What a meter's next reading is judged by (edge.meters.known_text): its baseline, and a doubt that is open.
CREATE TABLE known (
    meter_id TEXT PRIMARY KEY,
    -- Times of the monotonic clock in it are of this boot of the machine.
    kernel_boot_id BLOB NOT NULL,
    known TEXT NOT NULL
) WITHOUT ROWID, STRICT;
