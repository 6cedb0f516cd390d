"""The answers to gateways' heartbeats: which of the frames that wait at a gateway are stored or lost."""
