"""From trades to netted lines, transactions and a reconciled interval."""
