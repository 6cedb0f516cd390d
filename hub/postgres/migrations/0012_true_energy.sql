-- migrate:up

-- Two readings of one moment are no contradiction: a clock may have been set back between them. What a gateway may not do is
-- give one sequence of a meter twice within a boot
ALTER TABLE readings
    DROP CONSTRAINT readings_moment,
    ADD CONSTRAINT readings_sequence UNIQUE (meter_id, boot_id, meter_sequence),
    ADD COLUMN doubt text NOT NULL DEFAULT ''; -- the id of the rule by which the hub doubts it since it came
CREATE INDEX readings_stored ON readings USING brin (stored_at) WITH (autosummarize = on);
-- What neither the gateway nor the hub doubts
CREATE VIEW good_readings AS SELECT * FROM readings WHERE doubt = '' AND meter_state = 'G';

-- Counter events: how a gateway's doubt of a meter's registers ended. The columns are the fields of the signed record
CREATE TABLE meter_events (
    meter_id text NOT NULL,
    gateway_id text NOT NULL,
    boot_id bytea NOT NULL,
    frame_sequence bigint NOT NULL,
    record_index int NOT NULL,
    slot_at timestamptz NOT NULL,
    event text NOT NULL,
    last_sequence bigint NOT NULL,
    first_sequence bigint NOT NULL,
    confirmed_sequence bigint NOT NULL,
    import_before_wh bigint NOT NULL,
    import_after_wh bigint NOT NULL,
    export_before_wh bigint NOT NULL,
    export_after_wh bigint NOT NULL,
    import_width_wh bigint NOT NULL,
    export_width_wh bigint NOT NULL,
    serial_before text NOT NULL,
    serial text NOT NULL,
    stored_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    PRIMARY KEY (gateway_id, boot_id, frame_sequence, record_index)
);
CREATE INDEX meter_events_meter ON meter_events (meter_id, slot_at);
CREATE INDEX meter_events_stored ON meter_events (stored_at);

-- Registers that a person read off a meter before and after a change that no gateway saw, such as a swap, with the reason
CREATE TABLE entered_registers (
    entry_id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    meter_id text NOT NULL REFERENCES meters,
    changed_at timestamptz NOT NULL,
    import_before_wh bigint NOT NULL CHECK (import_before_wh >= 0),
    import_after_wh bigint NOT NULL CHECK (import_after_wh >= 0),
    export_before_wh bigint NOT NULL CHECK (export_before_wh >= 0),
    export_after_wh bigint NOT NULL CHECK (export_after_wh >= 0),
    reason text NOT NULL,
    entered_by uuid NOT NULL REFERENCES users,
    entered_at timestamptz NOT NULL
);
CREATE INDEX entered_registers_meter ON entered_registers (meter_id, changed_at);

-- What a person decided about a meter's energy in [start_at, end_at): of the rows about an interval the newest stands
CREATE TABLE energy_decisions (
    decision_id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    meter_id text NOT NULL REFERENCES meters,
    kind text NOT NULL CHECK (kind IN ('accept', 'replace', 'withdraw')),
    start_at timestamptz NOT NULL,
    end_at timestamptz NOT NULL CHECK (end_at > start_at),
    import_wh bigint CHECK (import_wh >= 0), -- of the whole span; null unless it is replaced
    export_wh bigint CHECK (export_wh >= 0),
    reason text NOT NULL,
    decided_by uuid NOT NULL REFERENCES users,
    decided_at timestamptz NOT NULL,
    CHECK ((kind = 'replace') = (import_wh IS NOT NULL) AND (import_wh IS NULL) = (export_wh IS NULL))
);
CREATE INDEX energy_decisions_meter ON energy_decisions (meter_id, end_at);
CREATE INDEX readings_doubted ON readings (stored_at) WHERE doubt <> '';

ALTER TABLE meters
    DROP CONSTRAINT meters_kind_check,
    ADD CONSTRAINT meters_kind_check CHECK (kind IN ('load', 'generation', 'bidirectional', 'feeder'));

-- Every coverage is kept for eight days, not the newest of each copy alone: the oracle counts the minutes in which frames were taken in
ALTER TABLE ingest_coverage
    DROP CONSTRAINT ingest_stretches_pkey,
    ADD PRIMARY KEY (holder, since_at);

-- Intervals of a meter that must be computed again, because of what came after they were attested
CREATE TABLE interval_marks (
    start_at timestamptz NOT NULL REFERENCES intervals,
    meter_id text NOT NULL REFERENCES meters,
    first_marked_at timestamptz NOT NULL,
    last_marked_at timestamptz NOT NULL,
    PRIMARY KEY (start_at, meter_id)
);

-- When a revision after the first was final on the chain, or why the oracle program refuses it for good. The first has its step
ALTER TABLE attestations ADD COLUMN final_at timestamptz, ADD COLUMN refusal text;
CREATE INDEX attestations_due ON attestations (start_at, revision) WHERE revision > 1 AND final_at IS NULL AND refusal IS NULL;

-- By PostgreSQL's clock, when the transaction began that computed a revision: what was stored later, it did not see
ALTER TABLE attestations ADD COLUMN computed_at timestamptz;
UPDATE attestations SET computed_at = attested_at;
ALTER TABLE attestations ALTER COLUMN computed_at SET NOT NULL, ALTER COLUMN computed_at SET DEFAULT now();
CREATE INDEX attestations_corrected ON attestations (attested_at) WHERE revision > 1;

-- Why a meter's energy differs from the revision before: what had come since. Readings: one row per boot of the gateway
CREATE TABLE correction_causes (
    start_at timestamptz NOT NULL,
    revision int NOT NULL CHECK (revision > 1),
    meter_id text NOT NULL,
    position int NOT NULL, -- 0, 1, ... among the causes of a meter's correction
    cause text NOT NULL CHECK (
        cause IN ('late_readings', 'counter_event', 'entered_registers', 'energy_decision')
    ),
    boot_id bytea, -- null for what a person entered, as the sequences
    first_sequence bigint,
    last_sequence bigint,
    first_at timestamptz NOT NULL, -- slots of the first and the last reading; of the event, or of the change
    last_at timestamptz NOT NULL,
    readings int NOT NULL, -- how many; 0 unless they are readings
    detail text NOT NULL DEFAULT '', -- the kind of the event, or the person's reason
    PRIMARY KEY (start_at, revision, meter_id, position),
    FOREIGN KEY (start_at, revision, meter_id) REFERENCES interval_readings ON DELETE CASCADE
);

-- Up to when late readings and events were looked for, by the time at which they were stored
CREATE TABLE late_readings_seen (
    single boolean PRIMARY KEY DEFAULT true CHECK (single),
    until_at timestamptz NOT NULL
);

-- Intervals that were attested too early and taken back, before anything of them was sent: who, why, and what was attested
CREATE TABLE taken_back (
    take_back_id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    from_at timestamptz NOT NULL,
    taken_by text NOT NULL,
    reason text NOT NULL,
    taken_at timestamptz NOT NULL,
    attestations jsonb NOT NULL -- each with its interval, its state then, root, totals and number of trades
);

-- migrate:down
DROP TABLE taken_back;
DROP TABLE late_readings_seen;
DROP TABLE correction_causes;
DROP INDEX attestations_due, attestations_corrected;
ALTER TABLE attestations DROP COLUMN final_at, DROP COLUMN refusal, DROP COLUMN computed_at;
DROP TABLE interval_marks;
DELETE FROM ingest_coverage a USING ingest_coverage b WHERE a.holder = b.holder AND a.since_at < b.since_at;
ALTER TABLE ingest_coverage
    DROP CONSTRAINT ingest_coverage_pkey,
    ADD CONSTRAINT ingest_stretches_pkey PRIMARY KEY (holder);
ALTER TABLE meters
    DROP CONSTRAINT meters_kind_check,
    ADD CONSTRAINT meters_kind_check CHECK (kind IN ('load', 'generation', 'bidirectional'));
DROP INDEX readings_doubted;
DROP TABLE energy_decisions;
DROP TABLE entered_registers;
DROP TABLE meter_events;
DROP VIEW good_readings;
DROP INDEX readings_stored;
ALTER TABLE readings
    DROP COLUMN doubt,
    DROP CONSTRAINT readings_sequence,
    ADD CONSTRAINT readings_moment UNIQUE (meter_id, read_at);
