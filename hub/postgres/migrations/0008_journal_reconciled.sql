-- migrate:up
CREATE INDEX journal_reconciled ON journal ((payload->>'start_at')) WHERE topic = 'reconciled';

-- migrate:down
DROP INDEX journal_reconciled;
