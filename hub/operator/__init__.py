"""What needs a person: refused frames and gateways that wait for an accept."""
