"""The steps of a settlement: one transaction each."""
