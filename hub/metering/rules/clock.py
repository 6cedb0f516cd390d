"""Rules over the times of readings: how good the clocks are, and how late in its slot a meter was read."""

from edge.wire.kinds import FLAG_CLOCK_SKEW, FLAG_GATEWAY_TIME, RELATIVE
from hub.metering.rules.window import Window

LEAST_LATE_MS = 1000
"""A meter may take this long to answer, however often it is read."""


def clock_doubted(window: Window) -> bool:
    """Whether the gateway's clock was never set, was ahead of the hub's, or contradicts the order of its readings."""
    return "clock" in window.doubted or any(r.time_quality in ("U", RELATIVE) for r in window.readings)


def meter_clock(window: Window) -> bool:
    """Whether the meter gave a time of its own that is wrong, so that the gateway's stands in its place."""
    return any(r.flags & (FLAG_CLOCK_SKEW | FLAG_GATEWAY_TIME) for r in window.readings)


def read_late(window: Window) -> bool:
    """Whether a meter was read more than half a poll period after its slot."""
    late_ms = max(LEAST_LATE_MS, window.poll_period_s * 500)
    return any(r.read_ms - r.slot_s * 1000 > late_ms for r in window.readings)
