"""Meters: how each kind is read (profiles, plans, dialects), and whether the answer can be true."""
