"""From readings to attested interval energy."""
