"""The ledger on the disk: the only writer, its SQL, what waits for the disk in memory, and the schema."""
