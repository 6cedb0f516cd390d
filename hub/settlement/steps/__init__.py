"""The steps that carry a settlement onto the chain."""
