-- migrate:up

-- Random bytes that go into a meter's leaf, so that who sees the leaf can not guess the energy. No interval was attested
-- without them on a chain that today's programs run on
ALTER TABLE interval_readings ADD COLUMN blinding bytea NOT NULL CHECK (length(blinding) = 16);

-- migrate:down
ALTER TABLE interval_readings DROP COLUMN blinding;
