"""The wire format: what a gateway signs and sends, as bytes and back, pure. Agent, hub and auditors share it."""
