"""A whole hub on a time that a test sets: PostgreSQL, the worker's rounds, the API and the chain go by one clock."""
