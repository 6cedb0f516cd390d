"""Builds the instructions of the five programs, the token program and the loader; one module each."""
