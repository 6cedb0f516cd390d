"""The way to PostgreSQL: pool, migrations, fenced leases."""
