"""The servers that the demo and the tests run from wheels: PostgreSQL, NATS and the building's MQTT broker."""
