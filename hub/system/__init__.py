"""The site itself: its rules, its totals, and whether this process can do its work."""
