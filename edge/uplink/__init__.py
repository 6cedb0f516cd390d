"""To the hub and back: enrolment and identity, the NATS connection, frames and heartbeats out, receipts in."""
