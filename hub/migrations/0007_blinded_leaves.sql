-- migrate:up

-- Random bytes that go into a meter's leaf, so that who sees the leaf can not guess the energy. Null in rows that were
-- attested before there were any
ALTER TABLE interval_readings ADD COLUMN blinding bytea CHECK (length(blinding) = 16);

-- migrate:down
ALTER TABLE interval_readings DROP COLUMN blinding;
