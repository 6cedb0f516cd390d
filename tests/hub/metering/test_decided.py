"""What a person decided about a meter: accepted readings, energy entered in place of the measured, and what stands."""

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hub.metering.decided import most_wh, share, standing
from hub.metering.readings import Decision, DecisionKind, MeterReading, Quality
from support.meter_rows import METER, START_S, imported, quarters, reading, steady, wh

LOAD = replace(METER, kind="load")


def decision(kind: DecisionKind, first: int = 0, last: int = 1, *, import_wh: int = 0, export_wh: int = 0) -> Decision:
    """Returns a decision about the quarter hours [first, last)."""
    energy = wh(import_wh, export_wh) if kind == "replace" else None
    return Decision(kind, START_S + first * 900, START_S + last * 900, energy)


def doubted(first_s: int, last_s: int, **doubt: Any) -> list[MeterReading]:
    """Returns half an hour of readings of a load of 3.6 kW; of those in [first, last] somebody doubts them."""
    return [
        *steady(-120, first_s - 60),
        *steady(first_s, last_s, **doubt),
        *steady(last_s + 60, 1920),
    ]


@pytest.mark.parametrize("doubt", [{"doubt": "clock"}, {"state": "X"}], ids=str)
def test_accepted_readings_count(doubt: dict[str, str]) -> None:
    """Two hours are in doubt, which makes a long gap; both quarters are exact and valid again when all are accepted."""
    readings = doubted(0, 1800, **doubt)
    assert [r.quality for r in quarters(readings, count=2)] == [Quality.ESTIMATED] * 2
    accepted = quarters(readings, count=2, decisions=[decision("accept", 0, 2)])
    assert [(r.quality, r.rules) for r in accepted] == [(Quality.VALID, ("accepted",))] * 2
    assert imported(accepted) == [900, 900]


def test_a_reading_at_a_boundary_counts_for_both_of_its_intervals() -> None:
    first, second = quarters(doubted(0, 900, doubt="clock"), count=2, decisions=[decision("accept")])
    assert [r.quality for r in (first, second)] == [Quality.VALID] * 2
    assert second.rules == (), "nobody decided about the second quarter"


@pytest.mark.parametrize(
    "impossible",
    [{"doubt": "range"}, {"time_quality": "R"}, {"late_ms": 600_001}, {"import_wh": 10**12 + 1}],
    ids=str,
)
def test_what_is_impossible_can_not_be_accepted(impossible: dict[str, object]) -> None:
    readings = steady(-60, 960)
    readings[8] = reading(420, **({"import_wh": 1_000_003 + 420} | impossible))  # type: ignore[arg-type]
    [quarter] = quarters(readings, decisions=[decision("accept")])
    assert {"range", "clock"} & set(quarter.rules) and quarter.energy == wh(900)


def test_a_jump_beyond_the_rated_power_can_not_be_accepted() -> None:
    readings = [*steady(-120, 420), *steady(480, 1920, at_wh=9_000_000)]
    [quarter] = quarters(readings, decisions=[decision("accept")])
    assert quarter.quality is Quality.ESTIMATED and quarter.energy.import_wh < 900


def test_registers_that_were_accepted_are_credited() -> None:
    readings = [reading(s, 5000, 7000 + s) for s in range(0, 901, 60)]
    [withheld], [accepted] = (
        quarters(readings, meter=LOAD, decisions=decided) for decided in ([], [decision("accept")])
    )
    assert (withheld.energy, withheld.quality) == (wh(0, 0), Quality.ESTIMATED)
    assert (accepted.energy, accepted.quality) == (wh(0, 900), Quality.VALID)
    assert accepted.rules == ("load_exports", "accepted")


def test_entered_energy_is_an_estimate_that_says_so() -> None:
    """Also in place of energy that was measured and valid; its neighbours are as they were."""
    before, entered, after = quarters(
        steady(0, 2700), count=3, decisions=[decision("replace", 1, 2, import_wh=11, export_wh=5)]
    )
    assert (entered.energy, entered.quality, entered.rules) == (wh(11, 5), Quality.ESTIMATED, ("replaced",))
    assert [(r.energy, r.quality) for r in (before, after)] == [(wh(900), Quality.VALID)] * 2


def test_the_latest_decision_stands() -> None:
    replaced, accepted = decision("replace", 0, 2, import_wh=200), decision("accept", 0, 2)
    withdrawn = decision("withdraw", 1, 2)
    readings = steady(0, 1800)
    assert imported(quarters(readings, count=2, decisions=[accepted, replaced])) == [100, 100]
    assert imported(quarters(readings, count=2, decisions=[replaced, accepted])) == [900, 900]
    assert imported(quarters(readings, count=2, decisions=[replaced, withdrawn])) == [100, 900]
    assert imported(quarters(readings, count=2, decisions=[replaced, withdrawn, replaced])) == [100, 100]
    assert standing([accepted, withdrawn], START_S + 900, START_S + 1800) is None
    assert standing([decision("accept", 0, 1)], START_S, START_S + 1800) is None, "it is about a part only"


def test_an_acceptance_that_was_withdrawn_leaves_the_readings_in_doubt() -> None:
    readings = doubted(0, 1800, doubt="clock")
    decided = [decision("accept", 0, 2), decision("withdraw", 0, 2)]
    assert quarters(readings, count=2, decisions=decided) == quarters(readings, count=2)


@given(st.integers(0, 10**6), st.integers(0, 10**6), st.integers(1, 200))
def test_the_shares_of_intervals_sum_up_to_what_was_entered(import_wh: int, export_wh: int, count: int) -> None:
    entered = decision("replace", 0, count, import_wh=import_wh, export_wh=export_wh)
    parts = [share(entered, START_S + n * 900, START_S + n * 900 + 900) for n in range(count)]
    assert sum(part.import_wh for part in parts) == import_wh
    assert sum(part.export_wh for part in parts) == export_wh
    assert max(part.import_wh for part in parts) - min(part.import_wh for part in parts) <= 1


def test_only_entered_energy_is_shared_out() -> None:
    with pytest.raises(ValueError, match="accept"):
        share(decision("accept"), START_S, START_S + 900)


def test_the_most_that_can_be_entered_is_the_rated_power_with_overload() -> None:
    assert most_wh(20_000, 900) == 6000
    assert most_wh(20_000, 3600) == 24_000
