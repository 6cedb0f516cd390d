"""Gateways: enrolment, keys and their NATS rights."""
