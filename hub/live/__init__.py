"""What happened, in order: the outbox that the live pages read."""
