-- migrate:up

-- Per copy of the worker the time over which it took in all that the stream of frames had, without a break
CREATE TABLE ingest_stretches (
    holder text PRIMARY KEY,
    since_at timestamptz NOT NULL,
    seen_at timestamptz NOT NULL CHECK (seen_at >= since_at)
);

-- migrate:down
DROP TABLE ingest_stretches;
