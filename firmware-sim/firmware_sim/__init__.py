"""Simulated meters: registers, buses and brokers of a campus, with a log of everything they served."""
