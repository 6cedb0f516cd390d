"""What a gateway signs and sends: pure bytes in, pure values out. The hub and auditors share it with the agent."""
