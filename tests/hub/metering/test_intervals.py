"""Interval energy from registers: boundaries, quality, what is complete, estimates, and gaps that are shared out."""

from dataclasses import replace
from itertools import pairwise
from typing import Any

import pytest

from hub.metering.intervals import Circumstances, Measured, Span, measure
from hub.metering.readings import Energy, ExpectedMeter, MeterEvent, MeterHistory, MeterReading, Quality
from hub.units import Wh
from support.day_shape import DayShape
from support.meter_rows import METER, QUARTER, START_S, imported, quarters, reading, signed, steady, wh

SHARED = ("gap", "boundary_shared")


def measured(*readings: MeterReading, meter: ExpectedMeter = METER, events: list[MeterEvent] | None = None) -> Measured:
    return measure(QUARTER, meter, MeterHistory(readings, events or []))


def test_both_boundaries_read_at_the_slot() -> None:
    exporting = [reading(s, 10_003 + s, 5_000 + s // 2) for s in range(-60, 961, 60)]
    result = measured(*exporting)
    assert result.complete
    assert (result.reading.energy, result.reading.quality, result.reading.rules) == (wh(900, 450), Quality.VALID, ())
    assert result.reading.start_reading_id == exporting[1].reading_id
    assert result.reading.end_reading_id == exporting[-2].reading_id


def test_the_order_of_arrival_changes_nothing() -> None:
    assert measured(*reversed(steady(-60, 960))) == measured(*steady(-60, 960))


def test_a_missed_slot_is_interpolated_and_rounded_down() -> None:
    result = measured(reading(-60, 1_000_001), reading(60, 1_000_102), *steady(120, 900))
    assert (result.reading.energy, result.reading.quality) == (wh(1_000_903 - 1_000_051), Quality.VALID)
    assert result.reading.rules == ("boundary_interpolated",)
    assert result.reading.start_reading_id == reading(-60, 1_000_001).reading_id
    assert not result.complete, "the reading of the slot may still be on its way"


def test_interpolation_goes_by_the_time_of_reading() -> None:
    late, next_one = reading(-60, 1_000_000, late_ms=30_000), reading(60, 1_000_303)
    interval = measured(late, next_one, *steady(120, 900, at_wh=1_000_203)).reading
    assert interval.energy.import_wh == 1_001_103 - (1_000_000 + 303 * 30 // 90)


@pytest.mark.parametrize(("late_ms", "taken_at_slot"), [(15_000, True), (15_001, False), (-15_001, False)])
def test_a_reading_counts_at_its_slot_up_to_a_quarter_of_a_poll_period(late_ms: int, taken_at_slot: bool) -> None:
    found = measured(*steady(-120, -60), reading(0, 1_000_023, late_ms=late_ms), *steady(60, 900)).reading
    assert (found.energy.import_wh == 880) is taken_at_slot


def test_neighbours_without_a_reading_between_them_are_complete() -> None:
    off_grid = [replace(r, slot_s=r.slot_s + 7, read_ms=r.read_ms + 7000) for r in steady(-120, 960)]
    result = measured(*off_grid)
    assert result.complete
    assert (result.reading.quality, result.reading.energy) == (Quality.VALID, wh(900))
    two_boots = [replace(r, boot_id=b"c" * 16) if r.slot_s > START_S + 900 else r for r in off_grid]
    assert not measured(*two_boots).complete


@pytest.mark.parametrize(
    ("doubt", "complete"), [({"doubt": "clock"}, True), ({"state": "E"}, False), ({"import_wh": 10**13}, True)], ids=str
)
def test_a_reading_between_that_does_not_count_is_not_waited_for(doubt: dict[str, Any], complete: bool) -> None:
    """Unless an event may still let it count."""
    readings = [replace(r, **doubt) if r.slot_s == START_S else r for r in steady(-120, 960)]
    assert measured(*readings).complete is complete


@pytest.mark.parametrize(("next_s", "valid"), [(60, True), (61, False), (120, False)], ids=str)
def test_a_boundary_is_valid_between_readings_two_poll_periods_apart(next_s: int, valid: bool) -> None:
    result = measured(reading(-60, 1_000_001), reading(next_s, 1_000_121), *steady(180, 900))
    assert (result.reading.quality is Quality.VALID) is valid
    assert ("boundary_shared" in result.reading.rules) is not valid
    assert not result.complete


def test_a_few_late_milliseconds_do_not_make_a_missed_slot_an_estimate() -> None:
    late = reading(60, 1_000_063, late_ms=45)
    assert measured(*steady(-120, -60), late, *steady(120, 900)).reading.quality is Quality.VALID


def test_a_gap_inside_is_remarked_and_costs_no_energy() -> None:
    interval = measured(reading(0, 10_003), reading(900, 10_903)).reading
    assert (interval.quality, interval.rules, interval.energy) == (Quality.VALID, ("gap",), wh(900))


@pytest.mark.parametrize("late_ms", [0, 90_000], ids=str)
def test_two_readings_of_one_slot_count_once(late_ms: int) -> None:
    twice = reading(420, 1_000_423 + late_ms // 1000, late_ms=late_ms, meter_sequence=5, boot_id=b"c" * 16)
    assert measured(*steady(-60, 960), twice).reading.energy == wh(900)


@pytest.mark.parametrize("poll_s", [1, 2, 5, 10])
def test_intervals_of_a_minute_with_a_reading_every_few_seconds(poll_s: int) -> None:
    readings = [
        reading(s, 1_000_003 + s, late_ms=300, meter_sequence=1000 + s // poll_s) for s in range(-60, 181, poll_s)
    ]
    spans = [Span(START_S + n * 60, 60, poll_s) for n in range(3)]
    found = [measure(span, METER, MeterHistory(readings)) for span in spans]
    assert [(m.reading.energy, m.reading.quality, m.reading.rules, m.complete) for m in found] == [
        (wh(60), Quality.VALID, (), True)
    ] * 3


@pytest.mark.parametrize(("power_w", "rules"), [(24_000, ()), (24_400, ("rated_power",))])
def test_overload_of_a_fifth_is_valid(power_w: int, rules: tuple[str, ...]) -> None:
    interval = measured(*steady(-60, 960, power_w=power_w)).reading
    assert interval.rules == rules
    assert interval.energy == (wh(6000) if not rules else wh(5000))


def test_registers_in_whole_kwh_are_honest() -> None:
    kwh = [replace(r, import_wh=Wh(r.import_wh - r.import_wh % 1000)) for r in steady(-60, 3660, power_w=2700)]
    meter = replace(METER, rated_power_w=3000)
    assert [(i.quality, i.rules) for i in quarters(kwh, count=4, meter=meter)] == [(Quality.VALID, ())] * 4
    assert imported(quarters(kwh, count=4, meter=meter)) == [0, 1000, 1000, 0]


def test_registers_in_tenths_of_a_kwh_are_honest_in_intervals_of_a_minute() -> None:
    """A meter of 4 kW: in a minute its register shows nothing or 100 Wh, which is more than its rated power gives."""
    meter = replace(METER, rated_power_w=4000)
    readings = [reading(s, 1_000_000 + 3600 * s // 3600 // 100 * 100, late_ms=200) for s in range(-600, 1201, 10)]
    readings = [replace(r, meter_sequence=n) for n, r in enumerate(readings)]
    found = [measure(Span(START_S + s, 60, 10), meter, MeterHistory(readings)).reading for s in range(0, 900, 60)]
    assert [(i.quality, i.rules) for i in found] == [(Quality.VALID, ())] * 15
    assert sum(imported(found)) == 900


def test_export_too_is_judged_by_the_rated_power_and_no_credit_then() -> None:
    exporting = [reading(s, 5_003, 10_000 + 25_000 * s // 3600) for s in range(-60, 961, 60)]
    interval = measured(*exporting).reading
    assert (interval.quality, interval.rules, interval.energy) == (Quality.ESTIMATED, ("rated_power",), wh(0))


def test_nobody_knows_anything() -> None:
    found = measured().reading
    assert (found.energy, found.quality, found.rules) == (wh(0), Quality.MISSING, ("gap", "not_measured"))


@pytest.mark.parametrize(
    ("last_s", "typical_wh", "energy"),
    [(0, 600, wh(600)), (450, 600, wh(450 + 300)), (450, None, wh(450)), (450, 99_999, wh(5000)), (450, 0, wh(450))],
)
def test_import_of_earlier_days_stands_in_for_what_was_not_measured(
    last_s: int, typical_wh: int | None, energy: Energy
) -> None:
    readings = [r for r in steady(-600, 900) if r.slot_s <= START_S + last_s] + [reading(last_s, 1_000_003 + last_s)]
    readings = list({r.slot_s: r for r in readings}.values())
    interval = quarters(readings, circumstances=Circumstances(typical_wh))[0]
    assert (interval.energy, interval.quality) == (energy, Quality.ESTIMATED)
    assert "not_measured" in interval.rules


def test_overload_that_was_measured_is_never_cut_by_an_estimate() -> None:
    """Until minute 13 more than the rated power flows, and then nothing comes."""
    readings = steady(-60, 780, power_w=24_000)
    assert quarters(readings, circumstances=Circumstances(400))[0].energy == wh(5200)


GAP = [*steady(-600, 420), *steady(3000, 3900)]


def test_a_long_gap_is_exact_as_a_whole() -> None:
    found = quarters(GAP, count=4)
    assert imported(found) == [900] * 4
    assert [i.rules for i in found] == [SHARED] * 4
    assert all(i.quality is Quality.ESTIMATED for i in found)


def test_a_gap_is_shared_out_by_the_shape_of_a_day() -> None:
    """Steps of a quarter hour: nothing in the second, twice as much in the third as in the others."""
    weights = [1] * 96
    begin = START_S % 86_400 // 900
    weights[begin + 1], weights[begin + 2] = 0, 2
    found = quarters(GAP, count=4, circumstances=Circumstances(shape=DayShape(tuple(weights), ())))
    unit = 2580 / (480 + 1800 + 300)
    assert imported(found) == [
        420 + int(480 * unit),
        0,
        int(1800 * unit),
        3600 - 420 - int(480 * unit) - int(1800 * unit),
    ]


def test_power_goes_before_the_shape_of_a_day() -> None:
    """Registers in doubt, while the power was read: it flowed in the first quarter hour only."""
    doubted = [reading(s, 0, state="E", active_power_w=19_350 if s < 900 else 0) for s in range(480, 3000, 60)]
    known = [replace(r, active_power_w=19_350) for r in GAP]
    found = quarters([*known, *doubted], count=4, circumstances=Circumstances(shape=DayShape((1,) * 96, ())))
    assert imported(found) == [420 + 2580, 0, 0, 600]


def test_a_pv_gap_of_a_day_exports_nothing_at_night() -> None:
    sun = tuple([0] * 24 + [5] * 48 + [0] * 24)
    day_s = 86_400
    exporting = [reading(s, 3, 500_001) for s in range(-600, 1, 60)]
    exporting += [reading(day_s + s, 3, 540_001) for s in range(0, 601, 60)]
    pv = replace(METER, kind="generation")
    exports = []
    for n in range(96):
        step = (START_S % day_s // 900 + n) % 96
        circumstances = Circumstances(sun_is_up=bool(sun[step]), shape=DayShape((1,) * 96, sun))
        found = quarters(exporting, first=n, meter=pv, circumstances=circumstances)[0]
        assert "exports_at_night" not in found.rules
        exports.append((found.energy.export_wh, bool(sun[step])))
    assert all((exported > 0) is shines for exported, shines in exports)
    assert sum(exported for exported, _ in exports) == 40_000


def test_an_event_whose_own_readings_are_lost_still_counts_with_its_registers() -> None:
    """The last old reading and the first new one never came; their registers stand in the event."""
    readings = [*steady(-60, 360), *steady(540, 960, at_wh=-477)]
    event = signed("reset", 420, 480, 600, import_before_wh=1_000_423, import_after_wh=3)
    lost = replace(event, event=replace(event.event, import_before_wh=1_000_423, import_after_wh=3))
    near = replace(QUARTER, poll_period_s=90)
    found = measure(near, METER, MeterHistory(readings, [lost])).reading
    assert (found.energy, found.quality) == (wh(360 + 60 + 3 + 60 + 360), Quality.VALID)


def test_an_event_long_before_the_history_changes_nothing() -> None:
    earlier = signed("reset", -7200, -7140, -7020, import_before_wh=5_000_000)
    later = signed("swap", 7200, 7260, 7380, import_before_wh=1_007_203, serial_before="A", serial="B")
    found = measured(*steady(-300, 1200), events=[earlier, later])
    assert (found.reading.energy, found.reading.rules, found.complete) == (wh(900), (), True)


def test_touching_intervals_of_any_length_sum_up_across_a_gap_and_a_rollover() -> None:
    readings = [reading(s, (999_003 + s) % 10**6) for s in (*range(-600, 300, 60), *range(2400, 7200, 60))]
    ends = [0, 17, 300, 301, 900, 1234, 2400, 3000, 5555, 6600]
    parts = [
        measure(Span(START_S + a, b - a, 60), METER, MeterHistory(readings)).reading.energy.import_wh
        for a, b in pairwise(ends)
    ]
    assert sum(parts) == 6600


def test_the_ids_of_the_boundaries_readings_are_those_that_count() -> None:
    misread = reading(0, 7)
    readings = [r for r in steady(-60, 960) if r.slot_s != START_S]
    found = measured(*readings, misread).reading
    assert found.start_reading_id == steady(-60, -60)[0].reading_id
