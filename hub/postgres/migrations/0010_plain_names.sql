-- migrate:up
-- The words of docs/glossary.md, where the tables had others
ALTER TABLE set_aside RENAME TO deferred_intervals;
ALTER TABLE ingest_stretches RENAME TO ingest_coverage;
ALTER TABLE journal RENAME TO outbox;
ALTER INDEX journal_reconciled RENAME TO outbox_reconciled;

-- migrate:down
ALTER INDEX outbox_reconciled RENAME TO journal_reconciled;
ALTER TABLE outbox RENAME TO journal;
ALTER TABLE ingest_coverage RENAME TO ingest_stretches;
ALTER TABLE deferred_intervals RENAME TO set_aside;
