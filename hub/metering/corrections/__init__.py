"""Corrections: intervals are computed again when readings or events come late, and attested as the next revision."""
