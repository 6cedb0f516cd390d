"""Orders, clearing and what peers did not cover."""
