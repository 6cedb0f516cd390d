"""Inputs that once billed energy which nobody had measured, with the right values, and their kin."""

from dataclasses import dataclass, field, replace
from typing import Any

import pytest

from hub.metering.intervals import NOTHING_ELSE, Circumstances, Span, measure
from hub.metering.readings import Energy, ExpectedMeter, MeterEvent, MeterHistory, MeterReading, Quality
from support.meter_rows import METER, START_S, quarters, reading, rows, signed, steady, wh

VALID, ESTIMATED = Quality.VALID, Quality.ESTIMATED
LOAD = replace(METER, kind="load")
PV = replace(METER, kind="generation")
NIGHT = Circumstances(sun_is_up=False)


@dataclass(frozen=True)
class Case:
    """Readings and events of a meter, and what its quarter hours from ``START_S`` on must be."""

    name: str
    readings: list[MeterReading]
    energies: list[Energy]
    qualities: list[Quality]
    rules: list[set[str]]
    """The ids that must be among the rules of each."""
    events: list[MeterEvent] = field(default_factory=list)
    meter: ExpectedMeter = METER
    circumstances: Circumstances = NOTHING_ELSE


def without(readings: list[MeterReading], *wrong: MeterReading) -> list[MeterReading]:
    """Returns readings with some of them replaced by others of the same slot."""
    slots = {r.slot_s for r in wrong}
    return [r for r in readings if r.slot_s not in slots] + list(wrong)


def exported(readings: list[MeterReading]) -> list[MeterReading]:
    """Returns readings with the registers of import and export exchanged."""
    return [replace(r, import_wh=r.export_wh, export_wh=r.import_wh) for r in readings]


E3 = rows(0, [1_000_000, 1_004_900, 1_001_800, 1_002_700], step_s=900)
JUMP = [*steady(-300, 420), *steady(480, 2700, at_wh=49_000_003)]
SWAPPED = signed("swap", 420, 480, 600, import_before_wh=1_000_423, import_after_wh=49_000_483,
                 serial_before="A1", serial="B2")  # fmt: skip
DOWN = [*steady(-300, 420), *steady(480, 2700, at_wh=20_003)]
JUMP_BY_QUARTERS = rows(-1800, [998_200, 999_100, 1_000_000, 53_000_900, 53_001_800, 53_002_700], step_s=900)
RESET = [*steady(-300, 420), *steady(480, 2700, at_wh=-477)]
ROLLOVERS = [
    Case(
        f"E10 rollover at {width}, {'signed' if is_signed else 'unsigned'}, {'export' if swap else 'import'}",
        (exported if swap else list)(
            [reading(s, (width - 430 + s) % width) for s in range(-300, 2701, 60)]
        ),
        [wh(0, 900) if swap else wh(900)] * 3,
        [VALID] * 3,
        [{"rollover"}, set(), set()],
        [
            signed("rollover", 420, 480, 600, **{
                f"{'export' if swap else 'import'}_before_wh": width - 10,
                f"{'export' if swap else 'import'}_after_wh": 50,
                f"{'export' if swap else 'import'}_width_wh": width,
            })
        ] if is_signed else [],
    )
    for width in (2**32, 10**6, 10**8)
    for is_signed in (True, False)
    for swap in (True, False)
]  # fmt: skip

CASES = [
    Case("E1 zeros that were signed as a reset until the old registers came back", [
        *steady(-300, 420), *[reading(s, 0, state="E" if s <= 600 else "G") for s in range(480, 1021, 60)],
        *steady(1080, 1200, state="O"), *steady(1260, 2700),
    ], [wh(900)] * 3, [ESTIMATED] * 2 + [VALID], [{"misread", "boundary_shared"}] * 2 + [set()],
        [signed("reset", 420, 480, 600, import_before_wh=1_000_423),
         signed("misread", 420, 1080, 1200, import_before_wh=1_000_423, import_after_wh=1_001_083)]),
    Case("E2 another meter without proof", JUMP, [wh(840), wh(900)], [ESTIMATED, VALID], [{"unseen_event"}, set()]),
    Case("E2 another meter by its serial", JUMP, [wh(840), wh(900)], [VALID, VALID], [{"swap"}, set()], [SWAPPED]),
    Case("E2 the same serial", JUMP, [wh(840), wh(900)], [ESTIMATED, VALID], [{"unseen_event"}, set()],
         [replace(SWAPPED, event=replace(SWAPPED.event, serial="A1"))]),
    Case("E2 downwards", DOWN, [wh(840), wh(900)], [ESTIMATED, VALID], [{"unseen_event"}, set()]),
    Case("E2 signed as unexplained", DOWN, [wh(840), wh(900)], [ESTIMATED, VALID], [{"unseen_event"}, set()],
         [signed("unexplained", 420, 480, 600, import_before_wh=1_000_423, import_after_wh=20_483)]),
    Case("E2 factory reset", RESET, [wh(843), wh(900)], [VALID, VALID], [{"reset"}, set()],
         [signed("reset", 420, 480, 600, import_before_wh=1_000_423, import_after_wh=3)]),
    Case("E2 no signed reset", RESET, [wh(840), wh(900)], [ESTIMATED, VALID], [{"unseen_event"}, set()]),
    Case("E2 typical import stands in for the minute", DOWN, [wh(840 + 1500 // 15)], [ESTIMATED], [{"not_measured"}],
         circumstances=Circumstances(typical_wh=1500)),
    Case("E2 never more than rated power", DOWN, [wh(5000)], [ESTIMATED], [{"not_measured"}],
         circumstances=Circumstances(typical_wh=99_999_999)),
    Case("E3 misread at a boundary", E3, [wh(900)] * 3, [ESTIMATED, ESTIMATED, VALID],
         [{"misread"}, {"misread"}, set()]),
    Case("E3 as export", exported(E3), [wh(0, 900)] * 3, [ESTIMATED, ESTIMATED, VALID],
         [{"misread"}, {"misread"}, set()]),
    Case("E3 before the next reading", E3[:2], [wh(4900)], [VALID], [set()]),
    Case("E3 read by the minute", without(steady(-60, 1860), reading(900, 1_001_203)), [wh(900)] * 2, [VALID] * 2,
         [{"misread"}] * 2),
    Case("E4 a jump of 52 MWh", rows(0, [1_000_000, 53_000_900], step_s=900), [wh(0)], [Quality.MISSING],
         [{"rate_of_change"}]),
    Case("E4 the register goes on there", JUMP_BY_QUARTERS, [wh(700), wh(900)], [ESTIMATED, VALID],
         [{"unseen_event"}, set()], circumstances=Circumstances(typical_wh=700)),
    Case("E8 a load exports", exported(steady(-60, 960)), [wh(0)], [ESTIMATED], [{"load_exports"}], meter=LOAD),
    Case("E8 PV exports at night", exported(steady(-60, 960)), [wh(0)], [ESTIMATED], [{"exports_at_night"}], meter=PV,
         circumstances=NIGHT),
    Case("E8 both registers rise", [reading(s, 10_000 + s, 10_000 + s) for s in range(-60, 961, 60)], [wh(900)],
         [ESTIMATED], [{"both_rise", "load_exports"}], meter=LOAD),
    Case("E8 frozen", rows(-60, [1_000_003] * 18, active_power_w=3600), [wh(0)], [ESTIMATED], [{"frozen"}]),
    Case("E8 readings 55 s late", [replace(r, read_ms=r.read_ms + 55_000) for r in steady(-300, 1200)], [wh(900)],
         [VALID], [{"read_late"}]),
    Case("E9 misread at minute 7", without(steady(-60, 960), reading(420, 4)), [wh(900)], [VALID],
         [{"counter_monotonic"}]),
    Case("E9 as a jump", without(steady(-60, 960), reading(420, 9_999_999)), [wh(900)], [VALID], [{"rate_of_change"}]),
    Case("E9 in doubt at the gateway", without(steady(-60, 960), reading(420, 4, state="E")), [wh(900)], [VALID],
         [{"unconfirmed"}]),
    *ROLLOVERS,
    Case("E10 rollover of a counter whose width the agent does not know", [
        *steady(-300, 420, at_wh=10**6 - 430), *steady(480, 2700, at_wh=-430),
    ], [wh(900)] * 3, [VALID] * 3, [{"rollover"}, set(), set()],
        [signed("reset", 420, 480, 600, import_before_wh=10**6 - 10, import_after_wh=50)]),
    Case("E10 both registers reset", [
        reading(s, 1_000_423 - 420 + s if s <= 420 else s - 470, 500_000 + s if s <= 420 else s - 475)
        for s in range(-300, 2701, 60)
    ], [wh(420 + 10 + 420, 420 + 5 + 420), wh(900, 900)], [VALID] * 2, [{"reset"}, set()],
        [signed("reset", 420, 480, 600, import_before_wh=1_000_423, import_after_wh=10,
                export_before_wh=500_420, export_after_wh=5)]),
    Case("E10 a step back after a power cut", [*steady(-300, 420), *steady(480, 2700, at_wh=1_000_003 - 200)],
         [wh(840), wh(900)], [VALID] * 2, [{"step_back"}, set()],
         [signed("step_back", 420, 480, 600, import_before_wh=1_000_423, import_after_wh=1_000_283)]),
    Case("E11 PV gateway unplugged", exported(steady(-1800, 420)), [wh(0, 420), wh(0), wh(0)],
         [ESTIMATED, ESTIMATED, ESTIMATED], [{"not_measured"}] * 3, meter=PV,
         circumstances=Circumstances(typical_wh=0, sun_is_up=True)),
    Case("E11 nothing is known of the meter", [], [wh(0)], [Quality.MISSING], [{"not_measured"}], meter=PV),
    Case("E12 a slot in the year 9000", [
        *steady(-300, 1200), reading(221_845_392_000 - START_S, 1_000_423, meter_sequence=1007)
    ], [wh(900)], [VALID], [set()]),
    Case("E12 in doubt when it came", [
        *steady(-300, 840), reading(221_845_392_000 - START_S, 1_000_903, doubt="clock", meter_sequence=1015)
    ], [wh(840)], [ESTIMATED], [{"not_measured"}]),
    Case("E12 2^63 - 1 Wh", without(steady(-300, 1200), reading(900, 2**63 - 1)), [wh(900)], [VALID], [{"range"}]),
    Case("E12 below zero", without(steady(-300, 1200), reading(900, -1)), [wh(900)], [VALID], [{"range"}]),
]  # fmt: skip


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_case(case: Case) -> None:
    found = quarters(
        case.readings, case.events, count=len(case.energies), meter=case.meter, circumstances=case.circumstances
    )
    assert [interval.energy for interval in found] == case.energies
    assert [interval.quality for interval in found] == case.qualities
    assert all(ids <= set(interval.rules) for ids, interval in zip(case.rules, found, strict=True))


ZERO = [5_000_000, 0, 5_000_010, 5_000_015, 5_000_020]


@pytest.mark.parametrize("zeros", [1, 2, 3, 10], ids=str)
@pytest.mark.parametrize("is_signed", [False, True], ids=["unsigned", "signed as a reset"])
def test_zeros_after_a_reboot_are_no_reset(zeros: int, is_signed: bool) -> None:
    """E1, and its kin: zeros amid an interval, and so many equal ones that the gateway took them for a reset."""
    states: dict[str, Any] = {"state": "E"} if zeros == 1 and is_signed else {}
    readings = [
        *rows(-60, [5_000_000]),
        *rows(0, [0] * zeros, **states),
        *rows(60 * zeros, [5_000_010 + 5 * n for n in range(60)]),
    ]
    events = [signed("reset", -60, 0, 120, import_before_wh=5_000_000)] if zeros > 2 and is_signed else []
    events += [signed("unexplained", 60 * zeros - 60, 60 * zeros, 60 * zeros + 120)] if events else []
    begin = measure(Span(START_S - 60, 60 * zeros + 180, 60), METER, MeterHistory(readings, events)).reading
    assert (begin.energy, begin.quality) == (wh(20), VALID)
    assert "reset" not in begin.rules and "unseen_event" not in begin.rules


def test_a_zero_at_a_boundary_costs_nothing() -> None:
    """E1: 12:00 to 12:03, with the zero at 12:00; before the next readings it is estimated."""
    span = Span(START_S, 180, 60)
    known = measure(span, METER, MeterHistory(rows(-60, ZERO))).reading
    assert (known.energy, known.quality, known.rules) == (
        wh(15), VALID, ("counter_monotonic", "boundary_interpolated"))  # fmt: skip
    early = measure(span, METER, MeterHistory(rows(-60, ZERO[:2]))).reading
    assert (early.energy, early.quality) == (wh(0), Quality.MISSING)
