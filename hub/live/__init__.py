"""The outbox of domain events, and the live streams that the pages read."""
