"""The demo's site clock: at every start it is daytime in June there, so that there is solar power to trade."""

LATEST_S = 4 * 3600
"""Seconds after ten o'clock: a start is between ten and two; in June there is surplus for hours after that."""


def sun_offset(kept_s: int | None, morning_s: int, interval_s: int) -> int:
    """Returns the offset from the wall clock to the site's clock in seconds, for this start.

    It is the offset of the start before (``kept_s``) while that gives a time between ten and two of the June day.
    Otherwise it is ``morning_s``, which gives ten o'clock, rounded up to whole intervals.
    """
    if kept_s is not None and kept_s % interval_s == 0 and 0 <= kept_s - morning_s <= LATEST_S:
        return kept_s
    return -(-morning_s // interval_s) * interval_s
