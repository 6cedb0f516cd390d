"""Orders, trades, clearing, and the utility energy that peers did not cover."""
