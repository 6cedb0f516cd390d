"""Energy of a gap shared out over its time, and the sun's course that export follows."""

import itertools
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hub.metering.sharing import DAY_MS, Piece, part_wh
from hub.metering.sun import Site, SunCourse, elevation_degrees, sun_is_up, sun_weight
from support.meter_rows import START_S

HOUR_MS = 3_600_000
JUNE_S = START_S - START_S % 86_400
DECEMBER_S = JUNE_S + 183 * 86_400
MUNICH, SYDNEY, TROMSO, FIJI = (48.1, 11.6), (-33.9, 151.2), (69.6, 18.9), (-18.1, 178.4)


def pieces(*weights: int, hours: int = 1) -> list[Piece]:
    return [Piece(n * hours * HOUR_MS, (n + 1) * hours * HOUR_MS, weight) for n, weight in enumerate(weights)]


def parts(total_wh: int, weights: tuple[int, ...], rated_w: int = 20_000) -> list[int]:
    """Returns the energy in each hour."""
    gap = pieces(*weights)
    ends = [part_wh(total_wh, gap, n * HOUR_MS, rated_w) for n in range(len(weights) + 1)]
    assert (ends[0], ends[-1]) == (0, total_wh)
    return [b - a for a, b in itertools.pairwise(ends)]


@pytest.mark.parametrize(
    ("total_wh", "weights", "expected"),
    [
        (600, (1, 2, 3), [100, 200, 300]),
        (600, (0, 2, 0), [0, 600, 0]),
        (600, (0, 0, 0), [200, 200, 200]),
        (0, (1, 2, 3), [0, 0, 0]),
        (30_000, (0, 1, 3), [0, 10_000, 20_000]),  # not more than the rated power
        (50_000, (0, 1, 3), [10_000, 20_000, 20_000]),  # so much that it flowed beside the weights too
        (48_000, (1, 100, 100), [8_000, 20_000, 20_000]),
        (60_000, (0, 1, 3), [20_000, 20_000, 20_000]),
        (66_000, (0, 1, 3), [22_000, 22_000, 22_000]),  # overload all along
        (100, (1, 1, 1), [33, 33, 34]),
    ],
    ids=str,
)
def test_parts_of_a_gap(total_wh: int, weights: tuple[int, ...], expected: list[int]) -> None:
    assert parts(total_wh, weights) == expected


@given(
    st.integers(0, 150_000), st.lists(st.integers(0, 5), min_size=1, max_size=8),
    st.lists(st.integers(-HOUR_MS, 9 * HOUR_MS), max_size=9),
)  # fmt: skip
def test_parts_never_fall_and_never_exceed_the_rated_power(
    total_wh: int, weights: list[int], times_ms: list[int]
) -> None:
    gap = pieces(*weights)
    times = sorted({0, *times_ms, len(weights) * HOUR_MS})
    values = [part_wh(total_wh, gap, at_ms, 20_000) for at_ms in times]
    assert values == sorted(values)
    assert (values[0], values[-1]) == (0, total_wh)
    most_w: Fraction = max(Fraction(20_000), Fraction(total_wh, len(weights)))
    for (a, b), (x, y) in zip(itertools.pairwise(times), itertools.pairwise(values), strict=True):
        assert y - x <= most_w * (b - a) / HOUR_MS + 1


def test_a_gap_s_export_is_cut_at_the_quarters_of_an_hour_and_weighted_by_the_sun_in_their_middle() -> None:
    noon_s = JUNE_S + 12 * 3600
    found = SunCourse(Site(*MUNICH)).pieces(1, noon_s * 1000 + 5, (noon_s + 1800) * 1000 + 7)
    assert [p.until_ms - p.since_ms for p in found] == [900_000 - 5, 900_000, 7]
    assert [p.weight for p in found] == [sun_weight(noon_s + s, *MUNICH) for s in (450, 1350, 2250)]
    ahead = SunCourse(Site(*MUNICH, sun_offset_s=-900)).pieces(1, (noon_s + 900) * 1000, (noon_s + 1800) * 1000)
    assert [p.weight for p in ahead] == [found[0].weight]
    assert not SunCourse(Site(*MUNICH)).pieces(1, 5, 5)
    assert not SunCourse(Site(*MUNICH)).pieces(0, noon_s * 1000, (noon_s + 900) * 1000), (
        "of import the sun knows nothing"
    )


@pytest.mark.parametrize(
    ("day_s", "site", "noon_degrees"),
    [(JUNE_S, MUNICH, 63.9), (DECEMBER_S, MUNICH, 20.0), (JUNE_S, SYDNEY, 34.1), (JUNE_S, TROMSO, 42.5)],
)
def test_the_sun_s_highest_place(day_s: int, site: tuple[float, float], noon_degrees: float) -> None:
    """90 degrees less the latitude, and the declination of the day: 22.0 on 1 June, -21.8 on 1 December."""
    highest = max(elevation_degrees(day_s + s, *site) for s in range(0, 86_400, 60))
    assert highest == pytest.approx(noon_degrees, abs=1)


@pytest.mark.parametrize(
    ("day_s", "site", "rises_s", "sets_s"),
    [(JUNE_S, MUNICH, 3 * 3600 + 1200, 19 * 3600), (DECEMBER_S, MUNICH, 6 * 3600 + 2640, 15 * 3600 + 1320)],
)
def test_sunrise_and_sunset(day_s: int, site: tuple[float, float], rises_s: int, sets_s: int) -> None:
    """In UTC, from an almanac; the sun's rim and refraction make it five minutes longer."""
    shines = [s for s in range(0, 86_400, 60) if elevation_degrees(day_s + s, *site) > 0]
    assert abs(shines[0] - rises_s) < 900 and abs(shines[-1] - sets_s) < 900


def test_the_sun_does_not_set_in_the_north_in_june_nor_rise_in_december() -> None:
    assert all(sun_is_up(JUNE_S + n * 900, JUNE_S + n * 900 + 900, *TROMSO) for n in range(96))
    day_ms = (DECEMBER_S + 20 * 86_400) * 1000
    assert not SunCourse(Site(72.0, 18.9)).pieces(1, day_ms, day_ms + DAY_MS), "a day without sun has no weights"


def test_an_interval_is_at_night_when_all_of_it_is() -> None:
    assert not sun_is_up(JUNE_S, JUNE_S + 900, *MUNICH)
    assert sun_is_up(JUNE_S, JUNE_S + 12 * 3600, *MUNICH)
    assert sun_is_up(JUNE_S, JUNE_S + 900, *SYDNEY)


def test_a_day_s_course_has_no_weight_at_night_wherever_the_site_is() -> None:
    for site in (MUNICH, SYDNEY, FIJI):
        course = SunCourse(Site(*site)).pieces(1, JUNE_S * 1000, JUNE_S * 1000 + DAY_MS)
        assert len(course) == 96
        for n, (_, _, weight) in enumerate(course):
            if not sun_is_up(JUNE_S + n * 900, JUNE_S + n * 900 + 900, *site):
                assert weight == 0
        assert 25 < sum(p.weight > 0 for p in course) < 70
