-- migrate:up

-- Trades of intervals that could not be opened on the chain in time: their energy became utility energy. Kept as they
-- were agreed, and no part of any bill
CREATE TABLE released_trades (
    LIKE trades,
    released_at timestamptz NOT NULL,
    PRIMARY KEY (trade_id)
);
CREATE INDEX released_trades_interval ON released_trades (start_at);

-- migrate:down
DROP TABLE released_trades;
