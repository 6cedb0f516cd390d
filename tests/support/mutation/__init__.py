"""Mutation testing: small changes to the code, and which of them the tests notice (`make test-mutation ROOM=...`)."""
