-- migrate:up

-- Intervals that a loop of the worker could not finish, for operators: which, since when and why. The worker tries them
-- again whatever stands here; a row goes when its interval has moved on
CREATE TABLE set_aside (
    start_at timestamptz NOT NULL REFERENCES intervals,
    stage text NOT NULL CHECK (stage IN ('planning', 'settlement', 'reconcile')),
    code text NOT NULL,
    reason text NOT NULL,
    since timestamptz NOT NULL,
    tried_at timestamptz NOT NULL,
    PRIMARY KEY (start_at, stage)
);

-- migrate:down
DROP TABLE set_aside;
