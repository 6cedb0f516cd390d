"""The record builder: indexes and sequences once each, and no counter that can not be true."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from edge.errors import ImplausibleError
from edge.meters.readings import MeterReading
from edge.record_builder import RECENT, RecordBuilder
from edge.runtime.clock import STEP_MS, ManualClock, TimeKeeper
from edge.wire.kinds import CounterEvent1, MeterDeclared, Reading
from edge.wire.records import decode_record
from support.rows.gateway_ledger import NOW_MS, new_ledger


def reading(import_wh: int, at_s: int = 0, serial: str = "A", **more: object) -> MeterReading:
    at_ms = NOW_MS + at_s * 1000
    return MeterReading("METER_001", at_ms // 1000, at_ms, import_wh, 0, serial=serial, **more)  # type: ignore[arg-type]


class DecodingBuilder:
    """A record builder, and the records that it built."""

    def __init__(self, at_s: int = 0) -> None:
        self.builder = RecordBuilder(TimeKeeper(ManualClock(NOW_MS + at_s * 1000), bytes(16)))

    def build(self, meter_reading: MeterReading) -> list[object]:
        batch = self.builder.build(meter_reading, "sdm630", b"p" * 32, 30_000)
        return [decode_record(record) for record in batch.records]


def test_a_meter_is_declared_once_a_boot_and_again_after_a_swap() -> None:
    builder = DecodingBuilder()
    assert [type(record) for record in builder.build(reading(1_000))] == [MeterDeclared, Reading]
    assert [type(record) for record in builder.build(reading(1_010, 60))] == [Reading]
    declared, event, last = builder.build(reading(5, 120, serial="B"))
    assert isinstance(declared, MeterDeclared) and (declared.meter_index, declared.serial) == (1, "B")
    assert isinstance(event, CounterEvent1) and (event.event, event.import_before_wh, event.import_after_wh) == (
        "swap",
        1010,
        5,
    )
    assert isinstance(last, Reading) and (last.meter_index, last.sequence) == (1, 3)


def test_what_can_not_be_true_is_not_recorded_until_three_agree() -> None:
    builder = DecodingBuilder()
    builder.build(reading(1_000))
    for second in (60, 120):
        with pytest.raises(ImplausibleError, match="not possible"):
            builder.build(reading(50_000_000, second))
    records = builder.build(reading(50_000_001, 180))
    assert [type(record) for record in records] == [CounterEvent1, Reading]
    builder = DecodingBuilder()
    builder.build(reading(1_000))
    for second, wild in ((60, 50_000_000), (120, 90_000_000), (180, 70_000_000), (240, 20_000_000)):
        with pytest.raises(ImplausibleError):
            builder.build(reading(wild, second))
    assert [type(record) for record in builder.build(reading(1_020, 300))] == [Reading]


def test_a_publication_that_was_overtaken_changes_no_counters() -> None:
    builder = DecodingBuilder(at_s=90)
    builder.build(reading(1_000))
    builder.build(reading(1_100, 60, pushed=True))
    (late,) = builder.build(reading(1_050, 30, pushed=True))
    assert isinstance(late, Reading) and (late.sequence, late.import_wh) == (3, 1_050)
    assert [type(record) for record in builder.build(reading(1_101, 90, pushed=True))] == [Reading]
    assert builder.builder.is_recorded("METER_001", NOW_MS + 30_000)
    assert not builder.builder.is_recorded("METER_001", NOW_MS + 31_000)


def test_one_publication_from_the_future_does_not_stop_the_checks() -> None:
    builder = DecodingBuilder()
    builder.build(reading(1_000, -60, pushed=True))
    assert [type(record) for record in builder.build(reading(1_010, 2_000_000_000, pushed=True))] == [Reading]
    with pytest.raises(ImplausibleError, match="not possible"):
        builder.build(reading(900_000_000, 0, pushed=True))
    assert [type(record) for record in builder.build(reading(1_020, 0, pushed=True))] == [Reading]


@pytest.mark.parametrize("wrong", [
    {"import_wh": 2**63}, {"import_wh": 10**40}, {"export_wh": 2**64 - 2}, {"quantities": ((1, 10**30, 0),)},
    {"serial": "Zähler 7"}, {"serial": "7\0"}, {"slot_s": 2**41}, {"slot_s": -1},
    {"slot_s": NOW_MS // 1000 - 2**32 // 1000 - 1}, {"slot_s": NOW_MS // 1000 + 2},
])  # fmt: skip
def test_what_no_record_can_hold_is_refused_and_is_forgotten(wrong: dict[str, Any]) -> None:
    builder = DecodingBuilder()
    with pytest.raises(ImplausibleError, match="METER_001"):
        builder.build(replace(reading(1_000), **wrong))
    assert not builder.builder.is_recorded("METER_001", NOW_MS)
    declared, first = builder.build(reading(1_000))
    assert isinstance(declared, MeterDeclared) and declared.meter_index == 0
    assert isinstance(first, Reading) and first.sequence == 1


def test_a_clock_that_is_corrected_a_little_while_a_meter_answers_makes_no_reading_wrong() -> None:
    for early_ms in (300, STEP_MS - 1):
        (_, first) = DecodingBuilder().build(replace(reading(1_000), read_at_ms=NOW_MS - early_ms))
        assert isinstance(first, Reading) and (first.slot_s, first.read_offset_ms) == (NOW_MS // 1000, 0)
        assert (first.time_quality, first.meter_state, first.flags) == ("S", "G", 0)
    with pytest.raises(ImplausibleError, match="METER_001"):
        DecodingBuilder().build(replace(reading(1_000), read_at_ms=NOW_MS - STEP_MS))


def test_three_doubtful_readings_are_believed_only_when_they_follow_each_other() -> None:
    """The third agrees with the second, and not with the first: that one is forgotten."""
    builder = DecodingBuilder()
    builder.build(reading(1_000))
    for second, wild in ((60, 50_000_000), (120, 90_000_000), (180, 90_000_010)):
        with pytest.raises(ImplausibleError):
            builder.build(reading(wild, second))
    event, last = builder.build(reading(90_000_020, 240))
    assert isinstance(event, CounterEvent1) and (event.event, event.import_before_wh) == ("swap", 1_000)
    assert isinstance(last, Reading) and last.import_wh == 90_000_020


def test_after_a_restart_the_newest_publications_are_recognised(tmp_path: Path) -> None:
    ledger = new_ledger(tmp_path)
    builder = DecodingBuilder()
    for second in range(RECENT + 50):
        ledger.commit(builder.builder.build(reading(1_000, second), "sdm630", b"p" * 32, 30_000))
        if second % 100 == 0:
            ledger.seal()
    again = RecordBuilder(TimeKeeper(ManualClock(NOW_MS), bytes(16)))
    with ledger.reading() as repository:
        again.restore(repository.meters(), repository.counters())
        again.restore_recent(repository.recent_bodies(NOW_MS - 1))
    recognised = [again.is_recorded("METER_001", NOW_MS + second * 1000) for second in range(RECENT + 50)]
    assert recognised == [False] * 50 + [True] * RECENT
