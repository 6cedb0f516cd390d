-- migrate:up

-- Who takes part ------------------------------------------------------------------------------------------------
CREATE TABLE participants (
    participant_id uuid PRIMARY KEY,
    name text NOT NULL,
    zone text NOT NULL DEFAULT 'campus',
    wallet text UNIQUE, -- base58; without one the participant is metered and billed, and does not trade
    ask_limit_mills bigint CHECK (ask_limit_mills >= 0), -- standing limits; null = the default of the market rules
    bid_limit_mills bigint CHECK (bid_limit_mills >= 0), -- all-in
    created_at timestamptz NOT NULL DEFAULT now()
);

CREATE TABLE users (
    user_id uuid PRIMARY KEY,
    email text NOT NULL UNIQUE CHECK (email = lower(email)),
    display_name text NOT NULL,
    password_hash text,
    role text NOT NULL CHECK (role IN ('participant', 'facilities', 'operator', 'rec_validator', 'auditor', 'device')),
    affiliation text CHECK (affiliation IN ('student', 'resident', 'faculty', 'staff')),
    participant_id uuid REFERENCES participants,
    created_at timestamptz NOT NULL DEFAULT now()
);

-- Wrong passwords by e-mail address, known or not: a pause must not tell which addresses have an account
CREATE TABLE login_attempts (
    email_hash bytea PRIMARY KEY,
    failed int NOT NULL,
    paused_until timestamptz,
    updated_at timestamptz NOT NULL
);
CREATE INDEX login_attempts_updated ON login_attempts (updated_at);

CREATE TABLE refresh_tokens (
    token_hash bytea PRIMARY KEY,
    family uuid NOT NULL,
    user_id uuid NOT NULL REFERENCES users ON DELETE CASCADE,
    issued_at timestamptz NOT NULL,
    expires_at timestamptz NOT NULL,
    used_at timestamptz,
    revoked_at timestamptz
);
CREATE INDEX refresh_tokens_family ON refresh_tokens (family);

CREATE TABLE user_activities (
    activity_id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    user_id uuid REFERENCES users ON DELETE CASCADE,
    at timestamptz NOT NULL DEFAULT now(),
    kind text NOT NULL,
    detail jsonb NOT NULL DEFAULT '{}'
);

-- Devices -------------------------------------------------------------------------------------------------------
CREATE TABLE gateways (
    gateway_id text PRIMARY KEY CHECK (gateway_id ~ '^[a-z0-9][a-z0-9-]{0,31}$'),
    building text NOT NULL,
    registered_at timestamptz NOT NULL DEFAULT now(),
    flagged_at timestamptz, -- equivocation or another sign that its key may be in other hands
    last_beat_at timestamptz,
    last_beat jsonb
);

CREATE TABLE gateway_keys (
    gateway_id text NOT NULL REFERENCES gateways,
    key_id bytea NOT NULL CHECK (length(key_id) = 8),
    public_key bytea NOT NULL CHECK (length(public_key) = 32),
    nats_public_key text NOT NULL,
    status text NOT NULL CHECK (status IN ('pending', 'active', 'retired', 'revoked')),
    valid_from timestamptz NOT NULL DEFAULT now(),
    valid_until timestamptz,
    PRIMARY KEY (gateway_id, key_id)
);

CREATE TABLE enrolment_tokens (
    token_hash bytea PRIMARY KEY,
    gateway_id text NOT NULL REFERENCES gateways,
    issued_at timestamptz NOT NULL,
    expires_at timestamptz NOT NULL,
    used_at timestamptz,
    request_hash bytea, -- same token and keys again get the same answer
    answer jsonb
);

CREATE TABLE meters (
    meter_id text PRIMARY KEY CHECK (meter_id ~ '^[A-Z0-9_]{1,32}$'),
    gateway_id text NOT NULL REFERENCES gateways,
    participant_id uuid NOT NULL REFERENCES participants,
    kind text NOT NULL CHECK (kind IN ('load', 'generation', 'bidirectional')),
    rated_power_w int NOT NULL CHECK (rated_power_w > 0),
    serial text NOT NULL,
    zone text NOT NULL DEFAULT 'campus',
    building text NOT NULL,
    floor text,
    room text,
    status text NOT NULL DEFAULT 'active' CHECK (status IN ('active', 'suspended', 'retired')),
    expected_from timestamptz NOT NULL DEFAULT now() -- the first interval that starts later waits for this meter
);
CREATE INDEX meters_participant ON meters (participant_id);

-- What gateways signed -------------------------------------------------------------------------------------------
CREATE TABLE frames (
    gateway_id text NOT NULL REFERENCES gateways,
    boot_id bytea NOT NULL CHECK (length(boot_id) = 16),
    sequence bigint NOT NULL,
    header_hash bytea NOT NULL UNIQUE,
    previous_hash bytea NOT NULL,
    key_id bytea NOT NULL,
    header bytea NOT NULL,
    signature bytea NOT NULL,
    body bytea NOT NULL,
    record_count int NOT NULL,
    sealed_at timestamptz NOT NULL,
    published_at timestamptz, -- JetStream's own time of the message
    received_at timestamptz NOT NULL,
    verified_at timestamptz NOT NULL,
    stored_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    PRIMARY KEY (gateway_id, boot_id, sequence)
);

-- What a gateway's meter index means within one boot (a `meter` record of the same chain). The meter need not be
-- assigned yet: readings wait until the gateway has declared it and the hub has assigned it, in either order.
CREATE TABLE meter_declarations (
    gateway_id text NOT NULL,
    meter_index int NOT NULL,
    boot_id bytea NOT NULL,
    meter_id text NOT NULL,
    serial text NOT NULL,
    profile text NOT NULL,
    profile_hash bytea NOT NULL,
    PRIMARY KEY (gateway_id, boot_id, meter_index)
);

-- Frames whose readings overtook the `meter` record that names their meter
CREATE TABLE waiting_frames (
    gateway_id text NOT NULL,
    boot_id bytea NOT NULL,
    sequence bigint NOT NULL,
    meter_index int NOT NULL,
    since timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (gateway_id, boot_id, sequence, meter_index),
    FOREIGN KEY (gateway_id, boot_id, sequence) REFERENCES frames
);

-- Frames that a gateway evicted before the hub had them, as its gap records say
CREATE TABLE declared_gaps (
    gateway_id text NOT NULL REFERENCES gateways,
    boot_id bytea NOT NULL,
    first_sequence bigint NOT NULL,
    last_sequence bigint NOT NULL,
    reason text NOT NULL,
    PRIMARY KEY (gateway_id, boot_id, first_sequence, last_sequence)
);

CREATE TABLE quarantine (
    quarantine_id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    at timestamptz NOT NULL DEFAULT now(),
    subject text NOT NULL,
    gateway_id text, -- as the subject says it; no foreign key: it may be unknown
    code text NOT NULL,
    detail text NOT NULL,
    payload bytea NOT NULL,
    payload_hash bytea NOT NULL,
    UNIQUE (payload_hash, subject, code)
);

-- No foreign keys: a row is written in the transaction that stored its frame and found its meter, and checking both again
-- for every row costs a third of the speed
CREATE TABLE readings (
    reading_id bytea PRIMARY KEY CHECK (length(reading_id) = 32),
    meter_id text NOT NULL,
    gateway_id text NOT NULL,
    boot_id bytea NOT NULL,
    frame_sequence bigint NOT NULL,
    record_index int NOT NULL,
    meter_sequence bigint NOT NULL,
    slot_at timestamptz NOT NULL,
    read_at timestamptz NOT NULL,
    time_quality text NOT NULL,
    meter_state text NOT NULL,
    flags int NOT NULL,
    import_wh bigint NOT NULL CHECK (import_wh >= 0),
    export_wh bigint NOT NULL CHECK (export_wh >= 0),
    active_power_w bigint,
    stored_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    UNIQUE (meter_id, slot_at, read_at) -- the same moment with other registers is a conflict
);

-- The oracle ----------------------------------------------------------------------------------------------------
-- One row per interval; each step of its life leaves its time. state: attested, cleared, planned, settling, closed, reconciled
CREATE TABLE intervals (
    start_at timestamptz PRIMARY KEY,
    end_at timestamptz NOT NULL,
    state text NOT NULL CHECK (state IN ('attested', 'cleared', 'planned', 'settling', 'closed', 'reconciled')),
    attested_at timestamptz NOT NULL,
    cleared_at timestamptz,
    planned_at timestamptz,
    closed_at timestamptz,
    reconciled_at timestamptz
);
CREATE INDEX intervals_open ON intervals (start_at) WHERE state NOT IN ('closed', 'reconciled');

CREATE TABLE attestations (
    start_at timestamptz NOT NULL REFERENCES intervals,
    revision int NOT NULL CHECK (revision >= 1),
    merkle_root bytea NOT NULL,
    meters_valid int NOT NULL,
    meters_estimated int NOT NULL,
    import_wh bigint NOT NULL, -- of the valid meters
    export_wh bigint NOT NULL,
    attested_at timestamptz NOT NULL,
    PRIMARY KEY (start_at, revision)
);

CREATE TABLE interval_readings (
    start_at timestamptz NOT NULL,
    revision int NOT NULL,
    meter_id text NOT NULL REFERENCES meters,
    participant_id uuid NOT NULL REFERENCES participants, -- who owned the meter in that interval
    leaf_index int NOT NULL,
    import_wh bigint NOT NULL CHECK (import_wh >= 0),
    export_wh bigint NOT NULL CHECK (export_wh >= 0),
    quality text NOT NULL CHECK (quality IN ('valid', 'estimated', 'suspect', 'missing')),
    rules text[] NOT NULL DEFAULT '{}', -- ids of the rules that flagged it
    start_reading_id bytea, -- the readings that the two boundary values rest on (the earlier one when interpolated)
    end_reading_id bytea,
    PRIMARY KEY (start_at, revision, meter_id),
    FOREIGN KEY (start_at, revision) REFERENCES attestations
);
CREATE INDEX interval_readings_meter ON interval_readings (meter_id, start_at);
CREATE INDEX interval_readings_participant ON interval_readings (participant_id, start_at);

-- The market ----------------------------------------------------------------------------------------------------
CREATE TABLE orders (
    order_id bytea PRIMARY KEY CHECK (length(order_id) = 32),
    start_at timestamptz NOT NULL,
    participant_id uuid NOT NULL REFERENCES participants,
    kind text NOT NULL CHECK (kind IN ('limit', 'market', 'residual')),
    side text NOT NULL CHECK (side IN ('bid', 'ask')),
    sequence bigint NOT NULL,
    wh bigint NOT NULL CHECK (wh > 0),
    limit_mills bigint NOT NULL, -- net: what the seller gets
    zone text NOT NULL DEFAULT 'campus',
    filled_wh bigint NOT NULL DEFAULT 0 CHECK (filled_wh BETWEEN 0 AND wh),
    created_at timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX orders_interval ON orders (start_at);

CREATE TABLE clearings (
    start_at timestamptz PRIMARY KEY REFERENCES intervals,
    price_mills bigint, -- null when nothing crossed
    volume_wh bigint NOT NULL,
    price_low_mills bigint,
    price_high_mills bigint,
    journal_hash bytea NOT NULL, -- of the interval's orders and trades, as published
    cleared_at timestamptz NOT NULL
);

CREATE TABLE trades (
    trade_id bytea PRIMARY KEY CHECK (length(trade_id) = 32),
    start_at timestamptz NOT NULL,
    kind text NOT NULL CHECK (kind IN ('forward', 'ex_post')),
    seller_id uuid NOT NULL REFERENCES participants,
    buyer_id uuid NOT NULL REFERENCES participants,
    ask_order_id bytea NOT NULL REFERENCES orders,
    bid_order_id bytea NOT NULL REFERENCES orders,
    fill_index int NOT NULL,
    wh bigint NOT NULL CHECK (wh > 0),
    price_mills bigint NOT NULL,
    zone text NOT NULL DEFAULT 'campus',
    traded_at timestamptz NOT NULL
);
CREATE INDEX trades_interval ON trades (start_at);
CREATE INDEX trades_seller ON trades (seller_id, start_at DESC);
CREATE INDEX trades_buyer ON trades (buyer_id, start_at DESC);

-- What peers did not cover: one signed figure per participant, interval and revision
CREATE TABLE utility_lines (
    start_at timestamptz NOT NULL,
    revision int NOT NULL,
    participant_id uuid NOT NULL REFERENCES participants,
    utility_wh bigint NOT NULL, -- positive: sold to the utility
    tariff_mills bigint NOT NULL,
    amount_micros bigint NOT NULL, -- signed like utility_wh: positive is credited
    quality text NOT NULL,
    PRIMARY KEY (start_at, revision, participant_id)
);
CREATE INDEX utility_lines_participant ON utility_lines (participant_id, start_at);

-- The tariffs and charges in force from a moment on, as governance holds them
CREATE TABLE rates (
    effective_from timestamptz PRIMARY KEY,
    wheeling_mills bigint NOT NULL,
    platform_mills bigint NOT NULL,
    loss_mills bigint NOT NULL,
    export_tariff_mills bigint NOT NULL,
    import_tariff_mills bigint NOT NULL
);

-- Settlement ----------------------------------------------------------------------------------------------------
CREATE TABLE settlements (
    start_at timestamptz PRIMARY KEY REFERENCES intervals,
    lines_root bytea NOT NULL,
    line_count int NOT NULL,
    sold_wh bigint NOT NULL,
    bought_wh bigint NOT NULL,
    credit_micros bigint NOT NULL,
    debit_micros bigint NOT NULL,
    clearing_price_mills bigint NOT NULL,
    minted_wh bigint NOT NULL,
    wheeling_mills bigint NOT NULL,
    platform_mills bigint NOT NULL,
    loss_mills bigint NOT NULL,
    planned_at timestamptz NOT NULL,
    reconcile_report jsonb
);

CREATE TABLE settlement_lines (
    start_at timestamptz NOT NULL REFERENCES settlements,
    line_index int NOT NULL,
    participant_id uuid NOT NULL REFERENCES participants,
    wallet text NOT NULL,
    sold_wh bigint NOT NULL,
    bought_wh bigint NOT NULL,
    credit_micros bigint NOT NULL,
    debit_micros bigint NOT NULL,
    PRIMARY KEY (start_at, line_index),
    UNIQUE (start_at, participant_id)
);
CREATE INDEX settlement_lines_participant ON settlement_lines (participant_id, start_at);

-- One row per thing that has to happen on the chain for an interval
CREATE TABLE settlement_steps (
    start_at timestamptz NOT NULL REFERENCES intervals,
    kind text NOT NULL CHECK (kind IN ('attest', 'mint', 'open', 'settle', 'close')),
    batch int NOT NULL DEFAULT 0, -- settle: the batch's number
    first_line int, -- settle: lines [first_line, end_line)
    end_line int,
    state text NOT NULL CHECK (state IN ('planned', 'submitted', 'confirmed', 'finalized', 'expired')),
    signature text, -- of the newest transaction that carries it
    updated_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (start_at, kind, batch)
);

-- Every transaction that was ever signed, stored before it is sent
CREATE TABLE blockchain_transactions (
    signature text PRIMARY KEY,
    start_at timestamptz,
    kind text NOT NULL,
    batch int NOT NULL DEFAULT 0,
    raw bytea NOT NULL,
    last_valid_block_height bigint NOT NULL,
    state text NOT NULL CHECK (state IN ('planned', 'submitted', 'confirmed', 'finalized', 'expired', 'failed')),
    error text,
    slot bigint,
    compute_units bigint,
    created_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    submitted_at timestamptz,
    confirmed_at timestamptz,
    finalized_at timestamptz
);
CREATE INDEX blockchain_transactions_interval ON blockchain_transactions (start_at);

-- What others read ------------------------------------------------------------------------------------------------
CREATE TABLE journal (
    sequence bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    at timestamptz NOT NULL DEFAULT clock_timestamp(),
    topic text NOT NULL,
    participant_id uuid REFERENCES participants,
    payload jsonb NOT NULL
);

CREATE TABLE leases (
    name text PRIMARY KEY,
    holder text NOT NULL,
    fence bigint NOT NULL,
    expires_at timestamptz NOT NULL
);

CREATE TABLE audit_log (
    entry bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    at timestamptz NOT NULL DEFAULT clock_timestamp(),
    actor text NOT NULL,
    action text NOT NULL,
    detail jsonb NOT NULL,
    previous_hash bytea NOT NULL,
    hash bytea NOT NULL UNIQUE
);

-- migrate:down
DROP SCHEMA public CASCADE;
CREATE SCHEMA public;
