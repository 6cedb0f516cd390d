"""Servers that the demo and the tests run from Python wheels: PostgreSQL, NATS, and the buildings' MQTT broker."""
