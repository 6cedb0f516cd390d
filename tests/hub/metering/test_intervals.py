"""Interval energy from registers: boundaries, rules, estimates, and agreement with a second implementation."""

from dataclasses import replace
from hashlib import sha256
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hub.demo import ground_truth
from hub.metering.intervals import LastValid, Measured, Span, estimate, measure
from hub.metering.readings import Energy, ExpectedMeter, IntervalReading, MeterReading, Quality
from hub.metering.rules import in_range
from hub.units import Wh

START_S = 1_780_308_000
SPAN = Span(START_S, length_s=900, poll_period_s=60, grace_s=120)
METER = ExpectedMeter("METER_001", UUID(int=1), rated_power_w=40_000)
BOOT = b"b" * 16


def reading(offset_s: int, import_wh: int, export_wh: int = 0, *, late_ms: int = 0, boot: bytes = BOOT) -> MeterReading:
    """Returns a reading of the slot that many seconds after the interval's start; sequences count slots."""
    slot_s = START_S + offset_s
    reading_id = sha256(boot + slot_s.to_bytes(8) + late_ms.to_bytes(8, signed=True)).digest()
    registers = Wh(import_wh), Wh(export_wh)
    return MeterReading(reading_id, boot, slot_s // 60, slot_s, slot_s * 1000 + late_ms, *registers)


def steady(first_s: int, last_s: int) -> list[MeterReading]:
    """Returns readings of every minute at 3600 W import and 1800 W export."""
    return [reading(s, 10_000 + s, 5_000 + s // 2) for s in range(first_s, last_s + 1, 60)]


def measured(*readings: MeterReading, meter: ExpectedMeter = METER) -> Measured:
    return measure(SPAN, meter, readings)


def interval_of(*readings: MeterReading, meter: ExpectedMeter = METER) -> IntervalReading:
    interval = measured(*readings, meter=meter).reading
    assert interval is not None
    return interval


def test_both_boundaries_read_at_the_slot() -> None:
    result = measured(*steady(-60, 960))
    assert result.complete
    assert result.reading is not None
    assert result.reading.energy == Energy(Wh(900), Wh(450))
    assert (result.reading.quality, result.reading.rules) == (Quality.VALID, ())
    assert result.reading.start_reading_id == reading(0, 10_000, 5_000).reading_id
    assert result.reading.end_reading_id == reading(900, 10_900, 5_450).reading_id


def test_the_order_of_arrival_changes_nothing() -> None:
    assert measured(*reversed(steady(-60, 960))) == measured(*steady(-60, 960))


def test_a_missed_slot_is_interpolated_and_floored() -> None:
    result = measured(reading(-60, 100), reading(60, 201), *steady(120, 900))
    assert result.reading is not None
    assert result.reading.energy.import_wh == 10_900 - 150
    assert result.reading.quality is Quality.VALID
    assert result.reading.start_reading_id == reading(-60, 100).reading_id
    # the reading of the slot may still be on its way
    assert not result.complete


def test_interpolation_goes_by_the_time_of_reading() -> None:
    early, late = reading(-60, 1000, late_ms=30_000), reading(60, 1900)
    interval = interval_of(early, late, *steady(120, 900))
    assert interval.energy.import_wh == 10_900 - (1000 + 900 * 30 // 90)


def test_neighbours_without_a_reading_between_them_are_complete() -> None:
    off_grid = [replace(r, slot_s=r.slot_s + 7, read_ms=r.read_ms + 7000) for r in steady(-60, 960)]
    result = measured(*off_grid)
    assert result.complete
    assert result.reading is not None
    assert (result.reading.quality, result.reading.energy) == (Quality.VALID, Energy(Wh(900), Wh(450)))


def test_neighbours_of_two_boots_are_not_complete() -> None:
    off_grid = [replace(r, slot_s=r.slot_s + 7, read_ms=r.read_ms + 7000) for r in steady(-60, 960)]
    two_boots = [replace(r, boot_id=b"c" * 16) if r.slot_s > START_S + 900 else r for r in off_grid]
    assert not measured(*two_boots).complete


def test_a_few_late_milliseconds_do_not_make_a_missed_slot_an_estimate() -> None:
    interval = interval_of(reading(-60, 100), reading(60, 200, late_ms=45), *steady(120, 900))
    assert interval.quality is Quality.VALID


def test_a_wider_gap_at_a_boundary_is_estimated() -> None:
    result = measured(reading(-60, 100), reading(120, 280), *steady(180, 900))
    assert result.reading is not None
    assert (result.reading.quality, result.reading.rules) == (Quality.ESTIMATED, ("gap",))
    assert result.reading.energy.import_wh == 10_900 - 160
    assert not result.complete


def test_a_gap_inside_is_remarked_and_costs_no_energy() -> None:
    interval = interval_of(reading(0, 10_000), reading(900, 10_900))
    assert (interval.quality, interval.rules, interval.energy.import_wh) == (Quality.VALID, ("gap",), 900)


@pytest.mark.parametrize(
    "readings",
    [
        [],
        steady(0, 840),  # nothing at or after the end
        steady(60, 900),  # nothing at or before the start
        [reading(-3660, 1), *steady(60, 900)],  # too far back
        [*steady(0, 840), reading(1080, 99_999)],  # after the grace
    ],
)
def test_without_both_boundaries_there_is_no_energy(readings: list[MeterReading]) -> None:
    assert measured(*readings) == Measured(None, ("gap",) if len(readings) < 2 else (), complete=False)


def test_a_register_that_falls_is_refused() -> None:
    result = measured(*steady(0, 420), reading(480, 10_001, 5_000), *steady(540, 900))
    assert result.reading is None and "counter_monotonic" in result.rules and not result.complete


def test_a_register_that_falls_gives_no_power_to_judge() -> None:
    """What is refused has no energy, so that no other register of the interval can be too fast."""
    weak = replace(METER, rated_power_w=1)
    imported = measured(reading(0, 500, 0), reading(60, 400, 9_999), *_still(120, 400, 9_999), meter=weak)
    exported = measured(reading(0, 0, 500), reading(60, 9_999, 400), *_still(120, 9_999, 400), meter=weak)
    assert imported.rules == exported.rules == ("counter_monotonic",)


def _still(first_s: int, import_wh: int, export_wh: int) -> list[MeterReading]:
    return [reading(s, import_wh, export_wh) for s in range(first_s, 901, 60)]


def test_a_register_that_fell_before_the_interval_does_not_matter() -> None:
    assert interval_of(reading(-120, 99_999), *steady(-60, 900)).rules == ()


def test_a_reading_out_of_range_is_left_out_and_remarked() -> None:
    wild = reading(480, 10**12 + 1, 5_240)
    interval = interval_of(*(r for r in steady(0, 900) if r.slot_s != wild.slot_s), wild)
    assert (interval.rules, interval.energy.import_wh, interval.quality) == (("range",), 900, Quality.VALID)


def test_an_impossible_reading_at_a_boundary_gives_way_to_its_neighbours() -> None:
    wild = reading(0, 10**13)
    interval = interval_of(*(r for r in steady(-60, 900) if r.slot_s != START_S), wild)
    assert (interval.rules, interval.energy.import_wh) == (("range",), 900)


@pytest.mark.parametrize(("rated_w", "quality"), [(3_000, Quality.VALID), (2_999, Quality.SUSPECT)])
def test_more_than_rated_power_with_overload_is_suspect(rated_w: int, quality: Quality) -> None:
    interval = interval_of(*steady(0, 900), meter=replace(METER, rated_power_w=rated_w))
    assert interval.quality is quality
    assert interval.rules == (() if quality is Quality.VALID else ("rated_power",))
    assert interval.energy.import_wh == 900


def test_exported_energy_is_judged_by_rated_power_too() -> None:
    exporting = [reading(s, 5_000, 10_000 + s) for s in range(0, 901, 60)]
    interval = interval_of(*exporting, meter=replace(METER, rated_power_w=2_999))
    assert (interval.quality, interval.rules) == (Quality.SUSPECT, ("rated_power",))


@pytest.mark.parametrize(
    "registers", [(10**12, 10**12), (10**12 + 1, 0), (0, 10**12 + 1), (-1, 0), (0, -1), (0, 0)], ids=str
)
def test_no_register_counts_below_0_or_beyond_a_terawatt_hour(registers: tuple[int, int]) -> None:
    possible = all(0 <= register <= 10**12 for register in registers)
    assert in_range(reading(0, *registers)) is possible


@pytest.mark.parametrize(("wild_s", "rules"), [(-60, ()), (0, ("range",)), (900, ("range",)), (960, ())], ids=str)
def test_only_wild_readings_of_the_interval_are_remarked(wild_s: int, rules: tuple[str, ...]) -> None:
    others = [r for r in steady(-120, 1020) if r.slot_s != START_S + wild_s]
    assert interval_of(*others, reading(wild_s, 10**13)).rules == rules


@pytest.mark.parametrize(("before_s", "found"), [(-3600, True), (-3601, False)], ids=str)
def test_neighbours_reach_an_hour_back(before_s: int, found: bool) -> None:
    result = measured(reading(before_s, 100), *steady(60, 900))
    assert (result.reading is not None) is found
    assert result.rules == (("gap",) if found else ())


@pytest.mark.parametrize(("after_s", "found"), [(3600, True), (3601, False)], ids=str)
def test_neighbours_reach_an_hour_forward(after_s: int, found: bool) -> None:
    """In an interval of two hours, as the grace ends the search behind a short one."""
    long = replace(SPAN, length_s=7200)
    result = measure(long, METER, [reading(-60, 100), reading(after_s, 200), reading(7200, 300)])
    assert (result.reading is not None) is found


def test_the_last_slot_of_the_grace_counts_and_the_next_does_not() -> None:
    for last_s, found in ((1020, True), (1021, False)):
        assert (measured(*steady(0, 840), reading(last_s, 99_999, 9_999)).reading is not None) is found


def test_consecutive_readings_that_are_far_apart_are_not_complete() -> None:
    """The gateway read nothing between them, and their distance makes the boundary an estimate."""
    far = replace(reading(120, 280), meter_sequence=reading(-60, 100).meter_sequence + 1)
    result = measured(reading(-60, 100), far, *steady(180, 900))
    assert result.reading is not None
    assert (result.reading.quality, result.complete) == (Quality.ESTIMATED, False)


def test_both_neighbours_may_be_read_on_the_same_side_of_the_boundary() -> None:
    """A slot that is read late or early gives the register nearer to the boundary; at the same moment, the earlier."""
    for first_ms, second_ms, import_wh in ((61_000, 0, 100), (0, -90_000, 200), (30_000, -90_000, 100)):
        interval = interval_of(
            reading(-60, 100, late_ms=first_ms), reading(60, 200, late_ms=second_ms), *steady(120, 900)
        )
        assert interval.energy.import_wh == 10_900 - import_wh


def test_the_first_reading_of_a_slot_counts() -> None:
    assert interval_of(*steady(0, 900), reading(900, 10_950, 5_450, late_ms=900)).energy.import_wh == 900


NOTHING = Measured(None, ("gap",), complete=False)


@pytest.mark.parametrize(
    ("ended_before_s", "energy", "quality"),
    [(0, 77, Quality.ESTIMATED), (3600, 77, Quality.ESTIMATED), (3601, 0, Quality.MISSING)],
)
def test_a_missing_meter_repeats_its_last_valid_interval_for_an_hour(
    ended_before_s: int, energy: int, quality: Quality
) -> None:
    last_valid = LastValid(START_S - ended_before_s, Energy(Wh(77), Wh(0)))
    interval = estimate(SPAN, METER, NOTHING, last_valid)
    assert (interval.energy.import_wh, interval.quality, interval.rules) == (energy, quality, ("gap",))


def test_a_meter_that_was_never_valid_is_missing() -> None:
    assert estimate(SPAN, METER, NOTHING, None).quality is Quality.MISSING


slots = st.lists(
    st.tuples(st.integers(-5, 22), st.integers(0, 3000), st.integers(0, 800), st.integers(0, 400)),
    max_size=26,
    unique_by=lambda row: row[0],
)


@given(slots, st.booleans())
@settings(max_examples=500, deadline=None)
def test_the_rules_coded_twice_agree(rows: list[tuple[int, int, int, int]], falls: bool) -> None:
    """Passes random gaps and reply times, and now and then a register that falls, through both."""
    import_wh, export_wh, readings = 1000, 500, []
    log: list[dict[str, Any]] = []
    for n, (slot, late_ms, imported, exported) in enumerate(sorted(rows)):
        import_wh += imported
        export_wh += exported if not falls or n % 7 != 3 else -min(exported, export_wh)
        readings.append(reading(slot * 60, import_wh, export_wh, late_ms=late_ms))
        t_ms = (START_S + slot * 60) * 1000 + late_ms
        log.append({"t_ms": t_ms, "meter": "M", "import_wh": import_wh, "export_wh": export_wh, "via": "modbus"})
    meter = replace(METER, rated_power_w=30_000)
    interval = measure(SPAN, meter, readings).reading
    site = ground_truth.Site(900, 60, 120, {}, {})
    truth = ground_truth.energy_of(ground_truth.slots_of(log, "M", 60), START_S, site, 30_000)
    if truth is None:
        assert interval is None
        return
    assert interval is not None
    assert (interval.energy.import_wh, interval.energy.export_wh) == (truth.import_wh, truth.export_wh)
    assert interval.quality.value == truth.quality
