"""Gateways and meters: registration, enrolment, keys and NATS permissions; the hub's own CA and NATS identity."""
