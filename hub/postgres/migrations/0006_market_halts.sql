-- migrate:up

-- Intervals whose clearing broke a rule of the market; over when the interval is cleared after all
CREATE TABLE market_halts (
    start_at timestamptz PRIMARY KEY REFERENCES intervals,
    halted_at timestamptz NOT NULL,
    reason text NOT NULL,
    over_at timestamptz
);

-- migrate:down
DROP TABLE market_halts;
