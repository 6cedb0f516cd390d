"""What operators read and decide: refused frames, gateways and their keys, a halted market."""
