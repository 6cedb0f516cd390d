"""Readings sorted into runs of a counter: what goes on, what is left out by which rule, and where a new run begins."""

from dataclasses import replace

import pytest

from hub.metering.doubts import counted
from hub.metering.readings import MeterEvent, MeterHistory, MeterReading
from hub.metering.runs import REACH, Limits, Runs, runs_of
from hub.units import Wh
from support.meter_rows import reading, rows, signed, steady

LIMITS = Limits(20_000)


def sorted_out(readings: list[MeterReading], *events: MeterEvent) -> Runs:
    known = counted(MeterHistory(readings, events))
    return runs_of(known.readings, known.openings, LIMITS)


def shown(readings: list[MeterReading], *events: MeterEvent) -> list[list[int]]:
    """Returns the import registers of each run."""
    return [[r.import_wh for r in run.readings] for run in sorted_out(readings, *events).runs]


def left_out(readings: list[MeterReading], *events: MeterEvent) -> dict[int, str]:
    """Returns the rule that each reading broke, by its import register."""
    by_id = {r.reading_id: r.import_wh for r in readings}
    return {by_id[i]: rule for i, rule in sorted_out(readings, *events).left_out.items()}


def test_nothing_and_one_reading() -> None:
    assert sorted_out([]) == Runs((), {})
    assert shown([reading(0, 5)]) == [[5]]


@pytest.mark.parametrize(
    ("registers", "rounding_wh"),
    [
        ([], 1), ([0, 0], 1), ([1000, 5000], 1000), ([1100, 5000], 100), ([1110, 5000], 10), ([1003, 5007], 1),
        ([1000, 2000, 3000, 7], 1000), ([1000, 2000, 7, 9], 1), ([10**6, 2 * 10**6], 1000), ([100, 30, 50, 0], 10),
    ],
    ids=str,
)  # fmt: skip
def test_rounding_is_that_of_nearly_all_registers(registers: list[int], rounding_wh: int) -> None:
    assert Limits.of(20_000, rows(0, registers)).rounding_wh == rounding_wh


@pytest.mark.parametrize(
    ("after", "goes_on"),
    [
        ((1000, 1000), True), ((999, 1000), False), ((1000, 999), False),
        ((1500, 1000), True), ((1501, 1000), False), ((1000, 1500), True), ((1000, 1501), False), ((1500, 1500), True),
    ],
    ids=str,
)  # fmt: skip
def test_a_minute_gives_at_most_overload_and_rounding(after: tuple[int, int], goes_on: bool) -> None:
    """20 kW and a fifth are 400 Wh a minute, and 100 Wh may be rounding."""
    assert LIMITS.goes_on(reading(0, 1000, 1000), reading(60, *after)) is goes_on


def test_readings_at_one_moment_may_differ_by_rounding() -> None:
    assert LIMITS.goes_on(reading(0, 1000), reading(0, 1100))
    assert not LIMITS.goes_on(reading(60, 1000), reading(0, 1101))


@pytest.mark.parametrize(
    ("registers", "wrong"),
    [
        ([1000, 0, 1010], {0: "counter_monotonic"}),
        ([1000, 9000, 1010], {9000: "rate_of_change"}),
        ([1000, 1300, 1010, 1020], {1300: "misread"}),
        ([970, 985, 1000, 995, 1010, 1020], {995: "counter_monotonic"}),  # of two the earlier counts
        ([970, 985, 1000, 995, 996, 1010, 1020], {1000: "misread"}),
        ([0, 1000, 1010], {0: "misread"}),  # the history begins with a misread
        ([1000, 1010, 0], {0: "counter_monotonic"}),  # or ends with one
        ([1000, 1010, 9000, 9010], {9000: "rate_of_change", 9010: "rate_of_change"}),  # two do not confirm each other
        ([1000, 0], {0: "counter_monotonic"}),  # one against one: the older counts
        ([91000, 0, 0, 0, 0, 0, 0, 0, 0, 91010], {0: "counter_monotonic"}),
        ([1000, 9000, 9001, 9002, 9003, 1010], dict.fromkeys((9000, 9001, 9002, 9003), "rate_of_change")),
    ],
    ids=str,
)
def test_misreads_are_left_out(registers: list[int], wrong: dict[int, str]) -> None:
    assert left_out(rows(0, registers)) == wrong
    assert shown(rows(0, registers)) == [[wh for wh in registers if wh not in wrong]]


@pytest.mark.parametrize("low", [True, False], ids=["import", "export"])
def test_either_register_shows_a_misread(low: bool) -> None:
    readings = [reading(60 * n, 500 if low else wh, wh if low else 500) for n, wh in enumerate([1000, 0, 1010])]
    assert list(sorted_out(readings).left_out.values()) == ["counter_monotonic"]


def test_three_readings_confirm_a_new_run() -> None:
    assert shown(rows(0, [1000, 1010, 1020, 9000, 9010, 9020])) == [[1000, 1010, 1020], [9000, 9010, 9020]]
    assert shown(rows(0, [1000, 1010, 1020, 0, 5, 9])) == [[1000, 1010, 1020], [0, 5, 9]]
    assert shown(rows(0, [9000, 1000, 1010, 1020])) == [[1000, 1010, 1020]]


def test_a_jump_is_not_made_up_for_by_time() -> None:
    """After a quarter hour 5 kWh more would be possible, but the readings before then show that they did not flow."""
    registers = [1000 + 10 * n for n in range(20)] + [6200 + 10 * n for n in range(40)]
    assert [len(run) for run in shown(rows(0, registers))] == [20, 40]


def test_old_registers_that_come_again_are_left_out_when_power_explains_the_rise() -> None:
    powers = {"active_power_w": 18_000}
    frozen = rows(0, [1000, 1300, 1300, 1300, 1300, 1300, 1300, 2800, 3100], **powers)
    found = sorted_out(frozen)
    assert [[r.slot_s - frozen[0].slot_s for r in run.readings] for run in found.runs] == [[0, 60, 420, 480]]
    assert set(found.left_out.values()) == {"stale"}
    for power_w in (0, None, 4000, 60_000):
        idle = [replace(r, active_power_w=power_w) for r in frozen]
        assert [len(run.readings) for run in sorted_out(idle).runs] != [4]


def test_a_signed_event_opens_a_run_even_where_the_registers_go_on() -> None:
    found = sorted_out(rows(0, [1000, 1010, 1020, 1030]), signed("swap", 60, 120, 180))
    assert [(len(run.readings), run.event and run.event.event.event) for run in found.runs] == [(2, None), (2, "swap")]


def test_a_signed_reset_is_not_believed_when_the_old_registers_go_on() -> None:
    registers = [91000, 91010, 0, 0, 0, 0, 91020, 91030, 91040, 91050]
    assert shown(rows(0, registers), signed("reset", 60, 120, 240)) == [[wh for wh in registers if wh]]


def test_true_readings_between_two_misreads_are_kept() -> None:
    """The first misread is a little high, so that what follows it would go on from it a while later."""
    registers = [91_000 + 10 * n for n in range(60)]
    registers[10] += 190
    registers[50] = 0
    assert left_out(rows(0, registers)) == {91_290: "misread", 0: "counter_monotonic"}


def test_true_readings_between_zeros_and_a_jump_are_kept() -> None:
    registers = [91_000 + 10 * n for n in range(60)]
    registers[10:14] = [0, 0, 0, 0]
    registers[50] = 52_000_000
    assert left_out(rows(0, registers)) == {0: "counter_monotonic", 52_000_000: "rate_of_change"}


def test_a_jump_after_a_misread_is_a_new_run() -> None:
    registers = [91_000 + 10 * n for n in range(50)] + [95_000 + 10 * n for n in range(20)]
    registers[10] += 190
    assert [len(run) for run in shown(rows(0, registers))] == [49, 20]


@pytest.mark.parametrize("event", ["swap", "first"])
def test_another_meter_is_believed(event: str) -> None:
    registers = [91000, 91010, 0, 0, 0, 0, 91020, 91030, 91040, 91050]
    assert len(shown(rows(0, registers), signed(event, 60, 120, 240))) == 3


def test_the_newest_event_opens_a_run_when_the_reading_of_it_is_left_out() -> None:
    """The first reading after a swap was a misread that the gateway believed."""
    registers = [1000, 1010, 9_999_999, 500, 510, 520]
    found = sorted_out(rows(0, registers), signed("swap", 60, 120, 240))
    assert [[r.import_wh for r in run.readings] for run in found.runs] == [[1000, 1010], [500, 510, 520]]
    assert found.runs[1].event is not None


def test_a_long_history_is_searched_near_its_contradiction_only() -> None:
    readings = steady(-60 * (REACH + 100), 600)
    readings[-3] = replace(readings[-3], import_wh=Wh(0))
    found = sorted_out(readings)
    assert [len(run.readings) for run in found.runs] == [len(readings) - 1]
    assert list(found.left_out.values()) == ["counter_monotonic"]
