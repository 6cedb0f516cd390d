"""Scenarios: which fault happens when, on which meter, and what is then counted, shown and answered."""
