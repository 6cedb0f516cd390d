"""When the sun shines on the site."""

from datetime import UTC, datetime

import pytest

from hub.metering.sun import Site

ILMENAU = Site(50.683, 10.936)


def at_s(text: str) -> int:
    return int(datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp())


@pytest.mark.parametrize(
    ("time", "is_up"),
    [
        ("2026-06-21 01:30", False), ("2026-06-21 02:45", True), ("2026-06-21 11:00", True),
        ("2026-06-21 19:00", True), ("2026-06-21 20:30", False), ("2026-12-21 06:00", False),
        ("2026-12-21 08:00", True), ("2026-12-21 16:00", False),
    ],
)  # fmt: skip
def test_a_summers_and_a_winters_day(time: str, is_up: bool) -> None:
    """In UTC; civil twilight in Ilmenau begins at 2:18 and 6:38 UTC, and ends at 20:15 and 15:46."""
    assert ILMENAU.sun_is_up(at_s(time), at_s(time) + 900) is is_up


def test_the_end_of_an_interval_counts() -> None:
    """An hour that ends just after dawn."""
    end_s = at_s("2026-06-21 02:25")
    assert ILMENAU.sun_is_up(end_s - 3600, end_s)
    assert not ILMENAU.sun_is_up(end_s - 3600, end_s - 1200)


def test_a_demo_has_a_sun_of_its_own() -> None:
    night_s = at_s("2026-12-21 00:00")
    assert not ILMENAU.sun_is_up(night_s, night_s + 900)
    assert Site(50.683, 10.936, 12 * 3600).sun_is_up(night_s, night_s + 900)
    assert not Site(-50.683, 10.936).sun_is_up(at_s("2026-06-21 05:00"), at_s("2026-06-21 05:15")), "winter there"
