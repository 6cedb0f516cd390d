"""Operators' decisions about a meter's energy: taken, stored, listed; the intervals follow by corrections."""
