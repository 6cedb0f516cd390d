"""Which readings count: by signed events, by their state, by their time, and by the order of their sequence."""

from dataclasses import replace
from typing import Any

import pytest

from hub.ingest.doubts import MAX_REGISTER_WH
from hub.metering.doubts import DOUBT_LASTS_S, MOST_OFFSET_MS, counted
from hub.metering.readings import MeterEvent, MeterHistory, MeterReading
from hub.units import Wh
from support.meter_rows import reading, rows, signed, steady


def doubted(readings: list[MeterReading], *events: MeterEvent) -> dict[int, str]:
    """Returns the rule ids of the readings that do not count, by sequence."""
    found = counted(MeterHistory(readings, events))
    by_id = {r.reading_id: r.meter_sequence for r in readings}
    assert {by_id[r.reading_id] for r in found.readings}.isdisjoint(by_id[i] for i in found.doubted)
    assert len(found.readings) + len(found.doubted) == len(readings)
    return {by_id[i]: rule for i, rule in found.doubted.items()}


def opened(readings: list[MeterReading], *events: MeterEvent) -> dict[int, str]:
    """Returns the names of the events that open a run, by the sequence of its first reading."""
    by_id = {r.reading_id: r.meter_sequence for r in readings}
    return {by_id[i]: e.event.event for i, e in counted(MeterHistory(readings, events)).openings.items()}


def in_state(readings: list[MeterReading], state: str, *sequences: int) -> list[MeterReading]:
    return [replace(r, state=state) if r.meter_sequence in sequences else r for r in readings]


@pytest.mark.parametrize(
    ("fields", "rule"),
    [
        ({"doubt": "clock"}, "clock"),
        ({"doubt": "range"}, "range"),
        ({"time_quality": "R"}, "clock"),
        ({"time_quality": "U"}, None),
        ({"time_quality": "I"}, None),
        ({"late_ms": MOST_OFFSET_MS}, None),
        ({"late_ms": MOST_OFFSET_MS + 1}, "clock"),
        ({"late_ms": -MOST_OFFSET_MS}, None),
        ({"late_ms": -MOST_OFFSET_MS - 1}, "clock"),
        ({"state": "E"}, "unconfirmed"),
        ({"state": "O"}, "unconfirmed"),
        ({"state": "X"}, "unconfirmed"),
        ({"state": "N"}, "unconfirmed"),
        ({"state": "E", "doubt": "clock"}, "clock"),
    ],
    ids=str,
)
def test_a_reading_alone(fields: dict[str, Any], rule: str | None) -> None:
    assert doubted([reading(0, 5, **fields)]) == ({1000: rule} if rule else {})


@pytest.mark.parametrize("name", ["import_wh", "export_wh"])
@pytest.mark.parametrize(
    ("wh", "counts"), [(0, True), (MAX_REGISTER_WH, True), (MAX_REGISTER_WH + 1, False), (-1, False)]
)
def test_no_register_counts_below_zero_or_beyond_a_terawatt_hour(name: str, wh: int, counts: bool) -> None:
    changed: dict[str, Any] = {name: Wh(wh)}
    assert doubted([replace(reading(0, 5, 6), **changed)]) == ({} if counts else {1000: "range"})


def test_an_event_tells_which_readings_of_its_doubt_count() -> None:
    """Those up to its last old reading and after its confirmation are judged by their state alone."""
    readings = in_state(rows(0, [1, 2, 3, 4, 5, 6, 7, 8]), "E", 1000, 1002, 1003, 1004, 1007)
    event = signed("reset", 60, 240, 360)
    assert doubted(readings, event) == {1000: "unconfirmed", 1002: "misread", 1003: "misread", 1007: "unconfirmed"}
    assert opened(readings, event) == {1004: "reset"}


def test_what_an_event_rejects_does_not_count_whatever_its_state() -> None:
    assert doubted(rows(0, [1, 2, 3, 4]), signed("misread", 0, 120, 180)) == {1001: "misread"}


@pytest.mark.parametrize("name", ["misread", "unexplained"])
def test_events_that_explain_no_break_open_none(name: str) -> None:
    readings = rows(0, [1, 2, 3, 4])
    event = signed(name, 0, 60, 180)
    assert opened(readings, event) == {}
    assert opened(readings, replace(event, entered=True)) == {1001: name}


def test_a_later_event_overrules_an_earlier_one_and_a_person_both() -> None:
    readings = in_state(rows(0, [1, 2, 3, 4, 5]), "E", 1001, 1002, 1003, 1004)
    early, late = signed("misread", 0, 180, 180), signed("swap", 0, 60, 240)
    assert doubted(readings, late, early) == doubted(readings, early, late) == {}
    assert doubted(readings, replace(early, entered=True), late) == {1001: "misread", 1002: "misread"}


@pytest.mark.parametrize(("earlier_s", "is_meant"), [(DOUBT_LASTS_S, True), (DOUBT_LASTS_S + 60, False)], ids=str)
def test_an_event_says_nothing_of_what_was_read_long_before(earlier_s: int, is_meant: bool) -> None:
    old = reading(-earlier_s, 5, meter_sequence=1001, state="E")
    event = signed("reset", 0, 60, 60)
    event = replace(event, event=replace(event.event, slot_s=reading(0, 0).slot_s))
    assert doubted([old], event) == ({} if is_meant else {1001: "unconfirmed"})


def test_a_new_ledger_begins_its_sequences_again() -> None:
    """An event of the new one speaks of its own readings, although the old one had the same sequences days ago."""
    old = [replace(r, boot_id=b"o" * 16) for r in rows(-7200, [1, 2, 3], meter_sequence=0)]
    old = [replace(r, meter_sequence=n + 1) for n, r in enumerate(old)]
    new = [replace(r, meter_sequence=n + 1, state="E") for n, r in enumerate(rows(0, [9, 10, 11, 12, 13]))]
    event = signed("first", None, 120, 240)
    event = replace(event, event=replace(event.event, first_sequence=3, confirmed_sequence=5))
    found = counted(MeterHistory([*old, *new], [event]))
    assert [r.reading_id for r in found.readings] == [r.reading_id for r in (*old, *new[2:])]
    assert list(found.openings) == [new[2].reading_id]


@pytest.mark.parametrize("lost", [[1002], [1002, 1003], [1002, 1003, 1004]], ids=str)
def test_an_event_opens_at_the_next_reading_when_its_own_are_lost(lost: list[int]) -> None:
    readings = [r for r in rows(0, [1, 2, 3, 4, 5, 6]) if r.meter_sequence not in lost]
    assert opened(readings, signed("reset", 60, 120, 240)) == {lost[-1] + 1: "reset"}


@pytest.mark.parametrize(
    ("times_s", "wrong"),
    [
        ([0, 60, 120, 180], []),
        ([0, 3600, 120, 180], [1]),  # ahead for one reading
        ([0, 60, -3600, 180], [2]),  # behind for one reading
        ([3600, 3660, 60, 120, 180], [0, 1]),  # ahead, until the clock was set
        ([0, 60, 60, 120], []),  # the same moment twice
        ([3600, 0], [0]),  # nobody can tell: the later one counts
    ],
    ids=str,
)
def test_time_against_the_order_of_a_boot_is_a_doubt(times_s: list[int], wrong: list[int]) -> None:
    readings = [reading(s, 5 + n, meter_sequence=n) for n, s in enumerate(times_s)]
    assert doubted(readings) == dict.fromkeys(wrong, "clock")


def test_of_equal_orders_the_synchronised_one_counts() -> None:
    readings = [reading(3600, 5, meter_sequence=1), reading(0, 6, meter_sequence=2, time_quality="I")]
    assert doubted(readings) == {2: "clock"}


def test_sequences_of_two_boots_are_not_compared() -> None:
    readings = [
        *steady(0, 120),
        *(replace(r, boot_id=b"c" * 16, meter_sequence=r.meter_sequence - 900) for r in steady(180, 300)),
    ]
    assert doubted(readings) == {}


def test_what_cannot_count_anyway_does_not_disturb_the_order() -> None:
    wild = reading(9000, 5, meter_sequence=1001, doubt="clock")
    assert doubted([reading(0, 1), wild, reading(120, 2), reading(180, 10**13, meter_sequence=900)]) == {
        1001: "clock",
        900: "range",
    }
