"""The demo's sun: whenever it starts, it is a day in June at the site, and there is something to trade."""

LATEST_S = 4 * 3600
"""A start finds the site's clock between ten and two; in June the campus has surplus for hours after that."""


def sun_offset(kept_s: int | None, morning_s: int, interval_s: int) -> int:
    """Seconds from the wall's clock to the site's, from this start on.

    The one of the start before (``kept_s``) while it gives a time from ten to two of that June day; else back to ten,
    which is ``morning_s`` in whole intervals: an interval begins on the site's clock where it begins on the wall's.
    """
    if kept_s is not None and kept_s % interval_s == 0 and 0 <= kept_s - morning_s <= LATEST_S:
        return kept_s
    return -(-morning_s // interval_s) * interval_s
