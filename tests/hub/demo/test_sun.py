"""At every start it is daytime at the site, and a start soon after another keeps the site's clock."""

import pytest

from hub.demo.sun import LATEST_S, sun_offset

HOUR_S, INTERVAL_S = 3600, 900
MORNING_S = -13_908_217
"""What the simulator gives for ten in the morning in June, some time in November."""


def test_the_first_start_is_at_ten_in_whole_intervals() -> None:
    offset_s = sun_offset(None, MORNING_S, INTERVAL_S)
    assert offset_s % INTERVAL_S == 0
    assert 0 <= offset_s - MORNING_S < INTERVAL_S


@pytest.mark.parametrize("later_s", [0, 60, HOUR_S, LATEST_S - INTERVAL_S])
def test_a_start_soon_after_keeps_the_clock(later_s: int) -> None:
    first_s = sun_offset(None, MORNING_S, INTERVAL_S)
    assert sun_offset(first_s, MORNING_S - later_s, INTERVAL_S) == first_s


@pytest.mark.parametrize("later_s", [LATEST_S + 1, 13 * HOUR_S, 24 * HOUR_S, 400 * 24 * HOUR_S, -HOUR_S])
def test_a_start_at_another_time_of_the_sites_day_is_at_ten_again(later_s: int) -> None:
    first_s = sun_offset(None, MORNING_S, INTERVAL_S)
    again_s = sun_offset(first_s, MORNING_S - later_s, INTERVAL_S)
    assert 0 <= again_s - (MORNING_S - later_s) < INTERVAL_S
    assert again_s % INTERVAL_S == 0


def test_an_offset_that_is_not_whole_intervals_is_not_kept() -> None:
    assert sun_offset(MORNING_S + 17, MORNING_S, INTERVAL_S) % INTERVAL_S == 0
