"""A feeder meter against the sum of the meters behind it."""

from uuid import UUID

import pytest

from hub.metering.readings import Energy, ExpectedMeter, IntervalReading, Quality
from hub.metering.zones import with_zone_rules
from hub.units import Wh


def meter(meter_id: str, kind: str = "load", zone: str = "campus") -> ExpectedMeter:
    return ExpectedMeter(meter_id, UUID(int=1), 40_000, kind, "gw-north", zone)


def reading(meter_id: str, import_wh: int, *rules: str, quality: Quality = Quality.VALID) -> IntervalReading:
    return IntervalReading(meter_id, Energy(Wh(import_wh), Wh(0)), quality, rules, None, None)


METERS = [meter("FEEDER", "feeder"), meter("M1"), meter("M2"), meter("ELSEWHERE", zone="annex")]


def flagged(*readings: IntervalReading) -> list[tuple[str, ...]]:
    return [each.rules for each in with_zone_rules(900, METERS, readings)]


def test_the_feeder_is_flagged_where_a_meter_is_bypassed() -> None:
    rows = reading("FEEDER", 9000, "gap"), reading("M1", 4000), reading("M2", 2000, "gap"), reading("ELSEWHERE", 50)
    assert flagged(*rows) == [("gap", "feeder_disagrees"), (), ("gap",), ()]


@pytest.mark.parametrize("import_wh", [5900, 6000, 6450])
def test_losses_and_the_error_of_meters_are_no_disagreement(import_wh: int) -> None:
    """6,000 Wh behind it: up to 5 % of losses, and 2 % of what the feeder can carry."""
    assert flagged(reading("FEEDER", import_wh), reading("M1", 4000), reading("M2", 2000)) == [()] * 3


def test_an_estimate_behind_it_says_nothing() -> None:
    rows = reading("FEEDER", 9000), reading("M1", 4000, quality=Quality.ESTIMATED), reading("M2", 2000)
    assert flagged(*rows) == [()] * 3


def test_what_a_correction_settles_is_flagged_no_more() -> None:
    assert flagged(reading("FEEDER", 6100, "feeder_disagrees", "gap"), reading("M1", 4000), reading("M2", 2000)) == [
        ("gap",), (), ()
    ]  # fmt: skip


def test_a_zone_without_a_feeder_is_left_alone() -> None:
    assert flagged(reading("M1", 4000), reading("M2", 2000, "gap")) == [(), ("gap",)]
