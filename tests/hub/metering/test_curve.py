"""The curve of a meter's energy: what each counter event means for it, where nobody can know, and its boundaries."""

from dataclasses import replace
from typing import Any

import pytest

from hub.metering.breaks import Break
from hub.metering.curve import Between, Curve
from hub.metering.readings import MeterEvent, MeterReading
from hub.metering.runs import Limits, Run
from support.day_shape import DayShape
from support.meter_rows import START_S, reading, rows, signed, steady

LIMITS = Limits(20_000)
BEFORE, AFTER = reading(0, 1_000_000, 500_000), reading(60, 100, 50)
NAMES = ("import_before_wh", "import_after_wh", "export_before_wh", "export_after_wh")


def event(name: str, before: MeterReading, after: MeterReading, **fields: Any) -> MeterEvent:
    """Returns the event that a gateway signs between two readings."""
    registers = dict(zip(NAMES, (before.import_wh, after.import_wh, before.export_wh, after.export_wh), strict=True))
    first_s, last_s = after.slot_s - START_S, before.slot_s - START_S
    return signed(name, last_s, first_s, first_s + 120, **(registers | fields))


def between(before: MeterReading, after: MeterReading, opened: MeterEvent | None) -> Break:
    """Returns the break between two readings."""
    found = Curve([Run((before,)), Run((after,), opened)], LIMITS, 60).points[1].arrived_by
    assert found is not None
    return found


def known(name: str, import_wh: int, export_wh: int = 0) -> Break:
    return Break(name, import_wh, export_wh, known=True)


def unknown(name: str) -> Break:
    return Break(name, 0, 0, known=False)


@pytest.mark.parametrize(
    ("name", "before", "after", "fields", "expected"),
    [
        ("reset", (1_000_000, 500_000), (100, 50), {}, known("reset", 100, 50)),
        ("reset", (1_000_000, 500_000), (100, 500_050), {}, known("reset", 100, 50)),  # one register only
        ("reset", (1_000_000, 500_000), (100, 501), {}, unknown("reset")),  # more than a minute gives
        ("rollover", (999_990, 7), (5, 9), {"import_width_wh": 10**6}, known("rollover", 15, 2)),
        ("rollover", (7, 999_990), (9, 5), {"export_width_wh": 10**6}, known("rollover", 2, 15)),
        ("rollover", (999_990, 999_980), (5, 10), {"import_width_wh": 10**6, "export_width_wh": 10**6},
         known("rollover", 15, 30)),
        ("rollover", (999_990, 7), (5, 9), {"import_width_wh": 10**7}, unknown("rollover")),
        ("rollover", (999_990, 7), (5, 9), {}, unknown("rollover")),
        ("step_back", (1_000_000, 500), (999_800, 500), {}, known("step_back", 0)),
        ("step_back", (1_000_000, 500), (999_800, 520), {}, known("step_back", 0, 20)),
        ("swap", (1_000_000, 500), (77, 0), {"serial_before": "A", "serial": "B"}, known("swap", 0)),
        ("swap", (1_000_000, 500), (77, 0), {"serial_before": "A", "serial": "A"}, unknown("swap")),
        ("swap", (1_000_000, 500), (77, 0), {"serial": "B"}, unknown("swap")),
        ("first", (1_000_000, 500), (1_000_030, 501), {}, known("first", 30, 1)),
        ("first", (1_000_000, 500), (1_000_501, 501), {}, unknown("first")),
        ("first", (1_000_000, 500), (1_000_030, 501), {"serial_before": "A", "serial": "B"}, unknown("first")),
        ("first", (999_990, 500), (5, 501), {"serial": "B"}, unknown("first")),
        ("first", (999_990, 500), (5, 501), {"serial_before": "B", "serial": "B"}, known("first", 15, 1)),
        ("first", (1_000_000, 500), (5, 501), {"serial_before": "B", "serial": "B"}, unknown("first")),
        ("unexplained", (1_000_000, 500), (5, 501), {}, unknown("unexplained")),
    ],
    ids=str,
)  # fmt: skip
def test_energy_across_an_event(
    name: str, before: tuple[int, int], after: tuple[int, int], fields: dict[str, Any], expected: Break
) -> None:
    a, b = reading(0, *before), reading(60, *after)
    if name == "first":
        fields = {"import_before_wh": 0, "export_before_wh": 0} | fields
    assert between(a, b, event(name, a, b, **fields)) == expected


@pytest.mark.parametrize(
    ("name", "fields"),
    [("reset", {}), ("step_back", {}), ("swap", {"serial_before": "A", "serial": "B"})],
    ids=str,
)
@pytest.mark.parametrize(("apart_s", "was_seen"), [(120, True), (121, False)])
def test_an_event_in_a_gap_was_seen_by_nobody(name: str, fields: dict[str, Any], apart_s: int, was_seen: bool) -> None:
    a, b = reading(0, 1_000_000), reading(apart_s, 999_900 if name == "step_back" else 90)
    assert between(a, b, event(name, a, b, **fields)).known is was_seen


@pytest.mark.parametrize(
    ("apart_s", "serial", "is_known"),
    [(120, "", True), (121, "", False), (7200, "", False), (7200, "A", True), (7200, "B", False), (60, "B", False)],
)
def test_a_new_agent_after_a_gap_must_show_that_the_meter_is_the_same(
    apart_s: int, serial: str, is_known: bool
) -> None:
    a, b = reading(0, 1_000_000), reading(apart_s, 1_000_030)
    first = event("first", a, b, import_before_wh=0, export_before_wh=0, serial_before="A", serial=serial)
    assert between(a, b, first).known is is_known


@pytest.mark.parametrize(("hours", "is_known"), [(3, True), (41, True), (43, False)])
def test_in_a_long_gap_a_narrow_counter_may_have_gone_round_twice(hours: int, is_known: bool) -> None:
    """At 24 kW a register of 10^6 Wh goes round in 41.7 hours."""
    a, b = reading(0, 999_990), reading(hours * 3600, 10)
    rolled = event("rollover", a, b, import_width_wh=10**6)
    assert between(a, b, rolled).known is is_known
    assert between(a, b, None) == (known("rollover", 20) if is_known else unknown("unseen_event"))


@pytest.mark.parametrize(
    ("before", "after", "expected"),
    [
        ((999_990, 7), (5, 9), known("rollover", 15, 2)),
        ((2**32 - 1, 7), (0, 7), known("rollover", 1)),
        ((7, 10**8 - 1), (7, 3), known("rollover", 0, 4)),
        ((10**6 - 3, 10**7 - 3), (2, 1), known("rollover", 5, 4)),
        ((999_990, 7), (5, 6), unknown("unseen_event")),  # the other register fell by one
        ((999_000, 7), (5, 9), unknown("unseen_event")),
        ((1_000_000, 7), (9_000_000, 7), unknown("unseen_event")),
    ],
    ids=str,
)
def test_a_rollover_that_nobody_signed(before: tuple[int, int], after: tuple[int, int], expected: Break) -> None:
    assert between(reading(0, *before), reading(60, *after), None) == expected


def test_two_widths_that_both_explain_a_fall_explain_nothing() -> None:
    """In 2,000 hours at 24 kW both 10^7 and 10^8 Wh could have been passed."""
    meter = Limits(60_000)
    found = Curve([Run((reading(0, 9_999_000),)), Run((reading(5_400_000, 10),))], meter, 60).points[1].arrived_by
    assert found == unknown("unseen_event")


def test_the_serial_of_an_earlier_event_tells_whether_a_new_agent_reads_the_same_meter() -> None:
    runs = [rows(0, [10, 20]), rows(120, [1_000_000, 1_000_010]), rows(240, [1_000_020])]
    swap = event("swap", runs[0][-1], runs[1][0], serial_before="A", serial="B")
    for serial, is_known in (("B", True), ("C", False), ("", True)):
        first = event("first", runs[1][-1], runs[2][0], serial=serial)
        opened = zip(runs, (None, swap, first), strict=True)
        curve = Curve([Run(tuple(run), opens) for run, opens in opened], LIMITS, 60)
        assert [b.known for b in curve.breaks(START_S, START_S + 900)] == [True, is_known]


def test_an_event_without_a_serial_does_not_make_the_meter_unknown() -> None:
    runs = [rows(0, [10, 20]), rows(120, [999_980, 999_990]), rows(240, [5, 10]), rows(360, [20])]
    events = [
        None,
        event("swap", runs[0][-1], runs[1][0], serial_before="A", serial="B"),
        event("rollover", runs[1][-1], runs[2][0], import_width_wh=10**6),
        event("first", runs[2][-1], runs[3][0], serial="C"),
    ]
    curve = Curve([Run(tuple(run), opens) for run, opens in zip(runs, events, strict=True)], LIMITS, 60)
    assert [b.known for b in curve.breaks(START_S, START_S + 900)] == [True, True, False]


@pytest.mark.parametrize(
    ("before_wh", "after_wh", "expected"),
    [
        (1_000_700, 40, known("entered", 700 + 60)),
        (1_000_000, 100, known("entered", 0)),
        (999_999, 40, unknown("entered")),  # less than the last reading
        (1_000_700, 101, unknown("entered")),  # more than the first reading
        (1_025_000, 40, unknown("entered")),  # more than an hour gives
    ],
    ids=str,
)
def test_a_person_closes_a_change_with_both_registers(before_wh: int, after_wh: int, expected: Break) -> None:
    a, b = reading(0, 1_000_000), reading(3600, 100)
    entered = event("swap", a, b, import_before_wh=before_wh, import_after_wh=after_wh, entered=True)
    assert between(a, b, entered) == expected


def test_registers_of_an_event_that_contradict_the_readings_explain_nothing() -> None:
    assert between(BEFORE, AFTER, event("reset", BEFORE, AFTER, import_before_wh=999_999)) == unknown("reset")
    assert between(BEFORE, AFTER, event("reset", BEFORE, AFTER, export_after_wh=51)) == unknown("reset")


def test_points_count_on_across_breaks() -> None:
    reset = event("reset", reading(60, 1_010), reading(120, 5))
    curve = Curve([Run(tuple(rows(0, [1_000, 1_010]))), Run(tuple(rows(120, [5, 25])), reset)], LIMITS, 60)
    assert [p.import_wh for p in curve.points] == [0, 10, 15, 35]
    assert curve.measured_wh(START_S + 30, START_S + 150) == (20, 0)


def test_a_reading_that_is_later_than_the_next_slot_keeps_the_curve_in_order() -> None:
    readings = (reading(0, 1000, late_ms=70_000), reading(60, 1010, late_ms=11_000), reading(120, 1020))
    curve = Curve([Run(readings)], LIMITS, 60)
    assert [p.at_ms - START_S * 1000 for p in curve.points] == [70_000, 70_000, 120_000]
    assert [curve.measured_wh(START_S + a, START_S + b) for a, b in ((70, 120), (60, 120), (71, 120))] == [
        (20, 0), (20, 0), (10, 0)
    ]  # fmt: skip


def test_before_and_after_the_readings_there_is_no_boundary() -> None:
    curve = Curve([Run(tuple(steady(0, 120)))], LIMITS, 60)
    assert [curve.boundary(START_S + s) is None for s in (-1, 0, 120, 121)] == [True, False, False, True]
    assert [curve.unknown_ms(START_S + a, START_S + b) for a, b in ((-60, 60), (0, 120), (60, 200), (-60, 200))] == [
        60_000, 0, 80_000, 140_000
    ]  # fmt: skip
    assert Curve([], LIMITS, 60).unknown_ms(0, 900) == 900_000
    assert Curve([], LIMITS, 60).boundary(0) is None


def test_an_unknown_break_is_time_that_nobody_measured() -> None:
    curve = Curve([Run(tuple(steady(0, 120))), Run(tuple(steady(180, 300, at_wh=5)))], LIMITS, 60)
    assert [curve.unknown_ms(START_S + a, START_S + b) for a, b in ((0, 300), (0, 150), (180, 300))] == [
        60_000, 30_000, 0
    ]  # fmt: skip
    inside = curve.boundary(START_S + 150)
    assert inside is not None and not inside.valid


@pytest.mark.parametrize(
    ("start_s", "end_s", "seen"), [(0, 120, 0), (0, 121, 1), (0, 180, 1), (179, 300, 1), (180, 300, 0)]
)
def test_a_break_belongs_to_the_intervals_that_touch_its_gap(start_s: int, end_s: int, seen: int) -> None:
    curve = Curve([Run(tuple(steady(0, 120))), Run(tuple(steady(180, 300, at_wh=5)))], LIMITS, 60)
    assert len(curve.breaks(START_S + start_s, START_S + end_s)) == seen


def test_a_break_between_two_readings_of_one_moment_belongs_to_the_interval_before() -> None:
    same = replace(reading(60, 5), boot_id=b"c" * 16)
    curve = Curve([Run((reading(0, 900_000), reading(60, 900_010))), Run((same, reading(120, 9)))], LIMITS, 60)
    assert [len(curve.breaks(START_S + a, START_S + a + 60)) for a in (0, 60)] == [1, 0]


@pytest.mark.parametrize(
    ("start_s", "end_s", "slots"),
    [
        (60, 120, [60, 120]),
        (61, 119, [60, 120]),
        (0, 10, [0, 60]),
        (-60, -1, [0]),
        (200, 300, [180]),
        (30, 90, [0, 60, 120]),
    ],
)
def test_readings_of_an_interval_and_the_neighbours_of_its_ends(start_s: int, end_s: int, slots: list[int]) -> None:
    curve = Curve([Run(tuple(steady(0, 180)))], LIMITS, 60)
    assert [r.slot_s - START_S for r in curve.readings(START_S + start_s, START_S + end_s)] == slots


GAP = [Run((reading(0, 1000, 500), reading(3600, 2000, 1500)))]


def test_a_gap_is_shared_out_by_each_direction_s_own_weights() -> None:
    begin = START_S % 86_400 // 900
    imports, exports = [0] * 96, [0] * 96
    imports[begin], exports[begin + 3] = 1, 1
    curve = Curve(GAP, LIMITS, 60, Between(DayShape(tuple(imports), tuple(exports))))
    assert [curve.measured_wh(START_S + n * 900, START_S + n * 900 + 900) for n in range(4)] == [
        (1000, 0), (0, 0), (0, 0), (0, 1000)
    ]  # fmt: skip


def test_a_gap_within_two_poll_periods_is_interpolated_evenly() -> None:
    weights = tuple(n % 2 for n in range(1440))
    curve = Curve([Run((reading(0, 1000), reading(120, 1100)))], LIMITS, 60, Between(DayShape(weights, weights)))
    assert curve.measured_wh(START_S, START_S + 60) == (50, 0)


@pytest.mark.parametrize(("missing", "unread"), [(None, None), (1200, None), (None, 1200)], ids=str)
def test_power_must_have_been_read_all_along_to_share_out_by_it(missing: int | None, unread: int | None) -> None:
    powers = [reading(s, 0, active_power_w=2000 if s <= 900 else 0) for s in range(120, 3600, 120) if s != missing]
    powers = [replace(r, active_power_w=None) if r.slot_s - START_S == unread else r for r in powers]
    ends = Run((reading(0, 1000, active_power_w=2000), reading(3600, 2000)))
    curve = Curve([ends], LIMITS, 60, Between(powers=powers))
    assert (curve.measured_wh(START_S, START_S + 1800) == (1000, 0)) is (missing is unread is None)


@pytest.mark.parametrize(
    ("power_w", "by_power"), [(2000, True), (666, False), (668, True), (5999, True), (6004, False)]
)
def test_power_must_explain_what_was_counted_to_share_out_by_it(power_w: int, by_power: bool) -> None:
    """In half an hour it gives a third to three times of the 1000 Wh that the registers grew by."""
    powers = [reading(s, 0, active_power_w=power_w if s < 1800 else 0) for s in range(120, 3600, 120)]
    ends = Run((reading(0, 1000, active_power_w=power_w), reading(3600, 2000)))
    curve = Curve([ends], LIMITS, 60, Between(powers=powers))
    assert (curve.measured_wh(START_S, START_S + 1800) == (1000, 0)) is by_power


def test_without_weights_a_gap_is_shared_out_evenly() -> None:
    for shape in (None, DayShape((), ()), DayShape((0,) * 96, (0,) * 96)):
        curve = Curve(GAP, LIMITS, 60, Between(shape))
        assert curve.measured_wh(START_S, START_S + 900) == (250, 250)
