-- migrate:up

-- One meter has one pair of registers at one moment, whatever slot a gateway files it under. Of two that were stored
-- before, the first stays; the bytes of the other are still in its frame
DELETE FROM readings r USING readings earlier
WHERE earlier.meter_id = r.meter_id AND earlier.read_at = r.read_at
  AND (earlier.stored_at, earlier.reading_id) < (r.stored_at, r.reading_id);
ALTER TABLE readings
    DROP CONSTRAINT readings_meter_id_slot_at_read_at_key,
    ADD CONSTRAINT readings_moment UNIQUE (meter_id, read_at);
CREATE INDEX readings_slot ON readings (meter_id, slot_at);

-- migrate:down
DROP INDEX readings_slot;
ALTER TABLE readings
    DROP CONSTRAINT readings_moment,
    ADD UNIQUE (meter_id, slot_at, read_at);
