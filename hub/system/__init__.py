"""The site: its rules and totals, and the health of this process."""
