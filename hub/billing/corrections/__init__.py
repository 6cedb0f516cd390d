"""Correction lines: what a later revision changed on a participant's bill, on the bill of when it was made."""
