"""PostgreSQL: connections, migrations, leases, and the interface of work that runs under a lease."""
