"""Where the meters stand, and the offset that lets the sun of the site stand at ten on a June morning now."""

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

from firmware_sim.settings import Site

MORNING_HOUR = 10
WEDNESDAY = 2


def sun_offset(now_s: int, site: Site) -> int:
    """Seconds to add to wall time so that the site's local time at ``now_s`` is 10:00 on June's third Wednesday.

    A working day near the longest one: half the meters have surplus and the other half works.
    """
    zone = ZoneInfo(site.tz)
    year = datetime.fromtimestamp(now_s, UTC).year
    day = date(year, 6, 15)
    day += timedelta(days=(WEDNESDAY - day.weekday()) % 7)
    morning = datetime(day.year, day.month, day.day, MORNING_HOUR, tzinfo=zone)
    return int(morning.timestamp()) - now_s


def site_time(now_s: int, offset_s: int, site: Site) -> str:
    """Local time at the site, RFC 3339 with its offset."""
    return datetime.fromtimestamp(now_s + offset_s, ZoneInfo(site.tz)).isoformat()
