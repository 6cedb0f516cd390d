"""Peerwatt's hub: verifies readings, attests intervals, clears the market and settles on the chain."""
