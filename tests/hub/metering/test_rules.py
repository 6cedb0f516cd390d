"""Each rule: a window that it alone flags, and the nearest one that nothing flags."""

from dataclasses import replace
from typing import Any

import pytest

from hub.metering.breaks import Break
from hub.metering.curve import Boundary
from hub.metering.readings import Decision, ExpectedMeter, MeterReading
from hub.metering.rules import RULES, Effect, Window, judge
from hub.metering.rules.feeder import ZONE_RULES, Zone, feeder_disagrees
from hub.units import Wh
from support.meter_rows import METER, START_S, reading, wh

READ = Boundary(Wh(0), Wh(0), True, True, True, b"r")
BETWEEN, APART = replace(READ, read=False), replace(READ, read=False, valid=False, complete=False)
LOAD, PV = replace(METER, kind="load"), replace(METER, kind="generation")
UNKNOWN = [Break("unexplained", 0, 0, known=False)]


def minutes(**fields: Any) -> list[MeterReading]:
    """Returns the sixteen readings of a quarter hour at 3.6 kW."""
    return [reading(s, 1_000_003 + s, **fields) for s in range(0, 901, 60)]


HONEST = Window(
    meter=METER, start_s=START_S, end_s=START_S + 900, poll_period_s=60, readings=minutes(), doubted=[], breaks=[],
    first=READ, last=READ, energy=wh(900), rounding_wh=1, unknown_ms=0, sun_is_up=None,
)  # fmt: skip


def powered(*powers_w: int) -> list[MeterReading]:
    """Returns the readings with these powers in turn."""
    return [replace(r, active_power_w=powers_w[n % len(powers_w)]) for n, r in enumerate(minutes())]


def late(ms: int) -> list[MeterReading]:
    return [*minutes()[:-1], reading(900, 1_000_903, late_ms=ms)]


def happened(name: str) -> dict[str, Any]:
    return {"breaks": [Break(name, 5, 0, known=True)]}


CASES: list[tuple[str, dict[str, Any], dict[str, Any]]] = [
    *((name, {"doubted": [name]}, {"doubted": []})
      for name in ("range", "unconfirmed", "misread", "counter_monotonic", "rate_of_change", "stale")),
    ("rated_power", {"energy": wh(6001)}, {"energy": wh(6000)}),
    ("rated_power", {"energy": wh(0, 6001)}, {"energy": wh(0, 6000)}),
    ("rated_power", {"energy": wh(7000), "rounding_wh": 1000}, {"energy": wh(6999), "rounding_wh": 1000}),
    ("clock", {"doubted": ["clock"]}, {"doubted": []}),
    ("clock", {"readings": minutes(time_quality="U")}, {"readings": minutes(time_quality="I")}),
    ("clock", {"readings": minutes(time_quality="R")}, {"readings": minutes(time_quality="S")}),
    ("meter_clock", {"readings": minutes(flags=2)}, {"readings": minutes(flags=1)}),
    ("meter_clock", {"readings": minutes(flags=4)}, {"readings": minutes(flags=8)}),
    ("read_late", {"readings": late(30_001)}, {"readings": late(30_000)}),
    ("read_late", {"readings": [reading(899, 5), reading(900, 5, late_ms=1001)], "poll_period_s": 1},
     {"readings": [reading(899, 5), reading(900, 5, late_ms=1000)], "poll_period_s": 1}),
    ("gap", {"readings": minutes()[:4] + minutes()[6:]}, {"readings": minutes()[:4] + minutes()[5:]}),
    ("gap", {"readings": minutes()[:1]}, {"readings": minutes()[:2]}),
    *((name, happened(name), happened("")) for name in ("first", "rollover", "reset", "swap", "step_back", "entered")),
    ("unseen_event", {"breaks": UNKNOWN}, {"breaks": [replace(UNKNOWN[0], known=True)]}),
    ("boundary_interpolated", {"first": BETWEEN}, {}),
    ("boundary_interpolated", {"last": BETWEEN}, {}),
    ("boundary_shared", {"first": APART}, {"first": None}),
    ("boundary_shared", {"last": APART}, {"last": None}),
    ("not_measured", {"unknown_ms": 1}, {"unknown_ms": 0}),
    ("frozen", {"readings": powered(820), "energy": wh(0)}, {"readings": powered(803), "energy": wh(0)}),
    ("frozen", {"readings": powered(-820), "energy": wh(0)}, {"readings": powered(-803), "energy": wh(0)}),
    ("power_disagrees", {"readings": powered(12_020)}, {"readings": powered(11_990)}),
    ("power_disagrees", {"readings": powered(400)}, {"readings": powered(805)}),
    ("power_disagrees", {"readings": powered(3600), "energy": wh(900, 301)},
     {"readings": powered(3600), "energy": wh(900, 300)}),
    ("power_disagrees", {"readings": powered(-3600), "energy": wh(0, 3301)},
     {"readings": powered(-3600), "energy": wh(0, 3000)}),
    ("power_jumped", {"readings": powered(24_001, -24_000), "energy": wh(3200, 2800)},
     {"readings": powered(24_000, -24_000), "energy": wh(3200, 2800)}),
    ("load_exports", {"meter": LOAD, "energy": wh(50, 26)}, {"meter": LOAD, "energy": wh(50, 25)}),
    ("load_exports", {"meter": LOAD, "energy": wh(50, 1001), "rounding_wh": 1000},
     {"meter": LOAD, "energy": wh(50, 1000), "rounding_wh": 1000}),
    ("both_rise", {"meter": PV, "energy": wh(101, 101)}, {"meter": PV, "energy": wh(100, 101)}),
    ("both_rise", {"meter": PV, "energy": wh(101, 101)}, {"energy": wh(101, 101)}),
    ("exports_at_night", {"meter": PV, "energy": wh(0, 26), "sun_is_up": False},
     {"meter": PV, "energy": wh(0, 25), "sun_is_up": False}),
    ("exports_at_night", {"meter": PV, "energy": wh(0, 26), "sun_is_up": False},
     {"meter": PV, "energy": wh(0, 26), "sun_is_up": True}),
    ("exports_at_night", {"meter": PV, "energy": wh(0, 26), "sun_is_up": False},
     {"meter": PV, "energy": wh(0, 26), "sun_is_up": None}),
    ("exports_at_night", {"meter": PV, "energy": wh(0, 26), "sun_is_up": False},
     {"energy": wh(0, 26), "sun_is_up": False}),
    ("accepted", {"decision": Decision("accept", START_S, START_S + 900)}, {"decision": None}),
    ("replaced", {"decision": Decision("replace", START_S, START_S + 900, wh(7))}, {"decision": None}),
]  # fmt: skip


@pytest.mark.parametrize(("rule", "flagged", "nearest"), CASES, ids=str)
def test_a_rule_alone_flags_its_case_and_nothing_the_nearest(
    rule: str, flagged: dict[str, Any], nearest: dict[str, Any]
) -> None:
    assert judge(replace(HONEST, **flagged)).rules == (rule,)
    assert judge(replace(HONEST, **nearest)).rules == ()


def test_a_load_that_both_imports_and_exports_much_is_flagged_twice() -> None:
    assert judge(replace(HONEST, meter=LOAD, energy=wh(101, 101))).rules == ("load_exports", "both_rise")


def test_every_rule_has_a_case_and_an_id_of_its_own() -> None:
    ids = [rule.id for rule in RULES]
    assert len(ids) == len(set(ids)) and {name for name, _, _ in CASES} == set(ids)
    assert all(rule.says.endswith(".") and (not rule.mend or rule.mend.endswith(".")) for rule in (*RULES, *ZONE_RULES))


def test_the_strongest_effect_counts() -> None:
    assert judge(HONEST).effect is Effect.NOTE
    assert judge(replace(HONEST, doubted=["range"])).effect is Effect.NOTE
    assert judge(replace(HONEST, doubted=["range"], unknown_ms=1)).effect is Effect.DOUBT
    assert judge(replace(HONEST, energy=wh(6001), unknown_ms=1)).effect is Effect.WITHHOLD


ACCEPTED = {"frozen", "power_disagrees", "load_exports", "both_rise", "exports_at_night"}


@pytest.mark.parametrize(("rule", "flagged", "nearest"), CASES, ids=str)
def test_what_somebody_accepted_only_remarks(rule: str, flagged: dict[str, Any], nearest: dict[str, Any]) -> None:
    """Not what nobody measured, and not more than the rated power gives."""
    accept = {"decision": Decision("accept", START_S, START_S + 900)} | flagged
    judged = judge(replace(HONEST, **accept))
    effect = next(known.effect for known in RULES if known.id == rule)
    assert judged.effect is (Effect.NOTE if rule in ACCEPTED else effect)
    assert rule in judged.rules


@pytest.mark.parametrize("count", [0, 1, 2])
def test_power_says_nothing_without_readings_all_along(count: int) -> None:
    """Three missing minutes are too many; two at the ends of an interval are not."""
    some = [replace(r, active_power_w=None) if 5 <= n <= 5 + count else r for n, r in enumerate(powered(20_000))]
    assert ("power_disagrees" in judge(replace(HONEST, readings=some)).rules) is (count < 2)


def feeder(import_wh: int, export_wh: int = 0, *, rated_w: int = 100_000) -> tuple[ExpectedMeter, Zone]:
    meter = replace(METER, kind="feeder", rated_power_w=rated_w)
    zone = Zone(meter, 900, wh(import_wh, export_wh), [wh(3000, 0), wh(2000, 500), wh(0, 1500)], complete=True)
    return meter, zone


@pytest.mark.parametrize(
    ("import_wh", "export_wh", "losses_percent", "disagrees"),
    [
        (3000, 0, 0, False), (3500, 0, 0, False), (3501, 0, 0, True), (2500, 0, 0, False), (2499, 0, 0, True),
        (3600, 600, 0, False), (3850, 0, 5, False), (3851, 0, 5, True), (2499, 0, 5, True), (0, 3000, 5, True),
    ],
    ids=str,
)  # fmt: skip
def test_a_feeder_agrees_with_the_meters_of_its_zone(
    import_wh: int, export_wh: int, losses_percent: int, disagrees: bool
) -> None:
    """The meters take 3,000 Wh together; 2 % of what 100 kW give in a quarter hour are 500 Wh."""
    _, zone = feeder(import_wh, export_wh)
    assert feeder_disagrees(zone, losses_percent) is disagrees


def test_a_zone_with_an_estimate_says_nothing() -> None:
    _, zone = feeder(9999)
    assert feeder_disagrees(zone, 0)
    assert not feeder_disagrees(replace(zone, complete=False), 0)
