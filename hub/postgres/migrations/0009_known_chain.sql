-- migrate:up
-- The one chain that this database's intervals settle on, by the hash of its genesis.
CREATE TABLE known_chain (
    single boolean PRIMARY KEY DEFAULT true CHECK (single),
    genesis_hash bytea NOT NULL CHECK (octet_length(genesis_hash) = 32),
    seen_at timestamptz NOT NULL
);

-- migrate:down
DROP TABLE known_chain;
