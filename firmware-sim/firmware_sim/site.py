"""The site's time, and the offset that makes it ten on a June morning there now."""

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

from firmware_sim.settings import Site

MORNING_HOUR = 10
WEDNESDAY = 2


def june_morning_offset_s(now_s: int, site: Site) -> int:
    """Returns the seconds from wall time to site time with which ``now_s`` is 10:00 on June's third Wednesday there.

    A working day near the longest one: half the meters have surplus and the other half works.
    """
    zone = ZoneInfo(site.tz)
    year = datetime.fromtimestamp(now_s, UTC).year
    day = date(year, 6, 15)
    day += timedelta(days=(WEDNESDAY - day.weekday()) % 7)
    morning = datetime(day.year, day.month, day.day, MORNING_HOUR, tzinfo=zone)
    return int(morning.timestamp()) - now_s


def site_time(now_s: int, offset_s: int, site: Site) -> str:
    """Returns the local time at the site as RFC 3339 with its zone's offset."""
    return datetime.fromtimestamp(now_s + offset_s, ZoneInfo(site.tz)).isoformat()
