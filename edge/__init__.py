"""Peerwatt's gateway agent: reads meters, signs and buffers what it read, forwards it to the hub."""
