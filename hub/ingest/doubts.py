"""Doubts about a reading as it comes in, pure: registers that no meter shows, and times that the hub knows to be wrong.

Such a reading is stored with the id of the rule, counts nowhere, and is never shown as a meter's last reading.
"""

RANGE, CLOCK = "range", "clock"
"""The ids of the rules, as the oracle and the API name them."""
MAX_REGISTER_WH = 10**12
"""1 TWh: no meter of a building counts that far; a higher value was misread."""
MAX_AHEAD_MS = 60_000
"""A slot may be so much later than its receipt, for clocks that differ."""
MAX_UNSEALED_MS = 1_000
"""A reading may be so much later than the seal of its frame, for a clock that is slewed meanwhile."""


def doubt_of(slot_s: int, read_ms: int, import_wh: int, export_wh: int, *, sealed_ms: int, received_ms: int) -> str:
    """Returns the id of the rule that a reading breaks; empty when it breaks none. Times since 1970."""
    if import_wh > MAX_REGISTER_WH or export_wh > MAX_REGISTER_WH:
        return RANGE
    if slot_s * 1000 > received_ms + MAX_AHEAD_MS or read_ms > sealed_ms + MAX_UNSEALED_MS:
        return CLOCK
    return ""
