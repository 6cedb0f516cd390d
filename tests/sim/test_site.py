"""The offset that makes it ten on a June morning, whenever one asks."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from hypothesis import given
from hypothesis import strategies as st

from firmware_sim.settings import load_settings
from firmware_sim.site import june_morning_offset_s

SITE = load_settings().site


@given(st.datetimes(datetime(2025, 1, 1), datetime(2060, 12, 31), timezones=st.just(UTC)))  # noqa: DTZ001
def test_it_is_ten_on_a_working_day_in_june(now: datetime) -> None:
    at_s = int(now.timestamp())
    there = datetime.fromtimestamp(at_s + june_morning_offset_s(at_s, SITE), ZoneInfo(SITE.tz))
    assert (there.month, there.hour, there.minute, there.second) == (6, 10, 0, 0)
    assert (there.year, there.weekday()) == (now.year, 2)


def test_it_does_not_depend_on_the_machines_zone() -> None:
    at_s = int(datetime(2026, 11, 24, 2, 0, tzinfo=UTC).timestamp())
    there = datetime(2026, 6, 17, 8, 0, tzinfo=UTC)
    assert timedelta(seconds=june_morning_offset_s(at_s, SITE)) == there - datetime.fromtimestamp(at_s, UTC)
