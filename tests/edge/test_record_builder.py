"""The record builder: indexes and sequences once each, and a state to what is in doubt."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from edge.errors import ImplausibleError
from edge.meters.meter_kind import MeterKind
from edge.meters.points import Rules
from edge.meters.publications import REMEMBERED
from edge.meters.readings import MeterReading
from edge.record_builder import RecordBuilder
from edge.runtime.clock import STEP_MS, ManualClock, TimeKeeper
from edge.store.repository import CounterRow, KnownRow, MeterRow
from edge.wire.kinds import FLAG_GATEWAY_TIME, CounterEvent, MeterDeclared, Reading, Record
from edge.wire.records import decode_record
from support.rows.gateway_ledger import NOW_MS, new_ledger

KIND = MeterKind("sdm630", b"p" * 32, Rules(30_000, 60_000))


def reading(import_wh: int, at_s: int = 0, serial: str = "A", **more: object) -> MeterReading:
    at_ms = NOW_MS + at_s * 1000
    return MeterReading("METER_001", at_ms // 1000, at_ms, import_wh, 0, serial=serial, **more)  # type: ignore[arg-type]


class DecodingBuilder:
    """A record builder, and the records that it built."""

    def __init__(self, at_s: int = 0, boot_id: bytes = bytes(16)) -> None:
        self.builder = RecordBuilder(TimeKeeper(ManualClock(NOW_MS + at_s * 1000), boot_id))
        self.events: list[CounterEvent] = []

    def build(self, meter_reading: MeterReading) -> list[Record]:
        batch = self.builder.build(meter_reading, KIND)
        records = [decode_record(record) for record in batch.records]
        self.events += [record for record in records if isinstance(record, CounterEvent)]
        return records

    def states(self, *readings: MeterReading) -> str:
        """The states of the records of these readings."""
        return "".join(r.meter_state for one in readings for r in self.build(one) if isinstance(r, Reading))


def test_a_meter_is_declared_once_a_boot_and_again_after_a_swap() -> None:
    builder = DecodingBuilder()
    assert [type(record) for record in builder.build(reading(1_000))] == [MeterDeclared, Reading]
    assert [type(record) for record in builder.build(reading(1_010, 60))] == [Reading]
    third, first = builder.build(reading(1_020, 120))
    assert isinstance(third, Reading) and (third.sequence, third.meter_state) == (3, "E")
    assert isinstance(first, CounterEvent) and (first.event, first.last_sequence, first.import_after_wh) == (
        "first", 0, 1_000,
    )  # fmt: skip
    (other,) = builder.build(reading(5, 180, serial="B"))
    assert isinstance(other, Reading) and (other.meter_index, other.sequence, other.meter_state) == (0, 4, "X")
    declared, other = builder.build(reading(6, 240, serial="B"))
    assert isinstance(declared, MeterDeclared) and (declared.meter_index, declared.serial) == (1, "B")
    assert isinstance(other, Reading) and (other.meter_index, other.sequence, other.meter_state) == (1, 5, "X")
    last, event = builder.build(reading(7, 300, serial="B"))
    assert isinstance(last, Reading) and last.sequence == 6
    assert event == CounterEvent(
        meter_index=1, slot_s=NOW_MS // 1000 + 300, event="swap", last_sequence=3, first_sequence=4,
        confirmed_sequence=6, import_before_wh=1_020, import_after_wh=5, export_before_wh=0, export_after_wh=0,
        serial_before="A", serial="B",
    )  # fmt: skip


def test_serial_numbers_that_come_once_get_no_index() -> None:
    builder = counting()
    for n in range(1, 4):
        (noise,) = builder.build(reading(1_030, 60 * n, serial=f"noise {n}"))
        assert isinstance(noise, Reading) and (noise.meter_index, noise.meter_state) == (0, "X")
    assert builder.states(reading(1_030, 240)) == "G"


def counting(at_s: int = 600, boot_id: bytes = bytes(16)) -> DecodingBuilder:
    """A builder whose meter has been counting for a while: its newest reading, 1,030 Wh, is of now."""
    builder = DecodingBuilder(at_s, boot_id)
    assert builder.states(*(reading(1_000 + 10 * n, 60 * n - 180) for n in range(4))) == "EEEG"
    return builder


def test_what_is_in_doubt_is_recorded_and_said_once(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("INFO", "edge")
    builder = counting()
    assert builder.builder.troubles == {}
    assert builder.states(reading(50_000_000, 60), reading(50_000_001, 120)) == "OO"
    assert builder.builder.troubles == {
        "METER_001": "in doubt: import 50000001 Wh after 1030, export 0 after 0",
    }  # fmt: skip
    assert builder.states(reading(1_050, 180)) == "G" and builder.builder.troubles == {}
    assert builder.states(*(reading(50_000_000 + n, 240 + 60 * n) for n in range(3))) == "OOO"
    assert [event.event for event in builder.events] == ["first", "unexplained"]
    assert [record.message for record in caplog.records] == [
        "meter counts", "meter in doubt", "meter counts as before", "meter in doubt", "meter counter",
    ]  # fmt: skip


def test_a_publication_that_was_overtaken_changes_no_counters() -> None:
    builder = counting()
    builder.build(reading(1_100, 60, message=digest(1)))
    (late,) = builder.build(reading(1_050, 30, message=digest(2)))
    assert isinstance(late, Reading) and (late.sequence, late.import_wh, late.meter_state) == (6, 1_050, "G")
    (next_one,) = builder.build(reading(1_101, 90, message=digest(3)))
    assert isinstance(next_one, Reading) and next_one.meter_state == "G"
    assert builder.states(reading(1_050, 80)) == "E", "polls come in order"
    dated = reading(1_102, 70, message=digest(4), flags=FLAG_GATEWAY_TIME)
    assert builder.states(reading(1_102, 91), dated) == "GG", "the clock was set back a little, and nothing overtook it"


def test_one_publication_from_the_future_does_not_stop_the_checks() -> None:
    builder = counting()
    assert builder.states(reading(1_040, 2_000_000_000, message=digest(1))) == "G"
    assert builder.states(reading(900_000_000, 0, message=digest(2)), reading(1_050, 0, message=digest(3))) == "OG"


@pytest.mark.parametrize("same_boot", [True, False])
def test_a_doubt_outlives_a_restart(tmp_path: Path, same_boot: bool) -> None:
    """Two readings before it, one after it; and what was given up is remembered, too."""
    ledger = new_ledger(tmp_path)
    boot_id, builder = b"k" * 16, DecodingBuilder(boot_id=b"k" * 16)
    monotonic_ms = 1_000_000_000
    for n, import_wh in enumerate((5_000_000, 5_000_001, 5_000_002, 0, 1)):
        read = reading(import_wh, 60 * n, monotonic_ms=monotonic_ms + 60_000 * n)
        ledger.commit(builder.builder.build(read, KIND))

    def restarted(at_s: int) -> DecodingBuilder:
        again = DecodingBuilder(at_s, boot_id if same_boot else b"l" * 16)
        with ledger.reading() as repository:
            again.builder.restore(repository.meters(), repository.counters(), repository.known())
        return again

    def late(import_wh: int, second: int) -> MeterReading:
        begun_ms = monotonic_ms if same_boot else -240_000
        return reading(import_wh, second, monotonic_ms=begun_ms + second * 1000)

    again = restarted(300)
    ledger.commit(again.builder.build(late(2, 300), KIND))
    (event,) = restarted(360).builder.build(late(5_000_010, 360), KIND).records[-1:]
    assert isinstance(decode_record(event), Reading), "declared again, and in doubt again"
    for n in range(3):
        last = again.build(late(5_000_020 + n, 360 + 60 * n))
    assert [(e.event, e.last_sequence, e.first_sequence) for e in again.events] == [("misread", 3, 7)]
    assert isinstance(last[-1], CounterEvent)


def test_registers_that_an_earlier_agent_left_are_a_baseline() -> None:
    builder = DecodingBuilder(at_s=120)
    row = CounterRow("METER_001", 0, 41, NOW_MS, 1_000, 0, "A")
    builder.builder.restore([MeterRow(0, "METER_001", "A", "sdm630", b"p" * 32)], [row],
                            [KnownRow("METER_002", b"", "no JSON"), KnownRow("METER_003", b"", "[1]")])  # fmt: skip
    assert builder.states(reading(1_010, 60), reading(0, 120)) == "GE" and builder.events == []


@pytest.mark.parametrize("wrong", [
    {"import_wh": 2**63}, {"import_wh": 10**40}, {"export_wh": 2**64 - 2}, {"quantities": ((1, 10**30, 0),)},
    {"serial": "Zähler 7"}, {"serial": "7\0"}, {"slot_s": 2**41}, {"slot_s": -1},
    {"slot_s": NOW_MS // 1000 - 2**32 // 1000 - 1}, {"slot_s": NOW_MS // 1000 + 2},
])  # fmt: skip
def test_what_no_record_can_hold_is_refused_and_is_forgotten(wrong: dict[str, Any]) -> None:
    builder = DecodingBuilder()
    with pytest.raises(ImplausibleError, match="METER_001"):
        builder.build(replace(reading(1_000, message=digest(1)), **wrong))
    assert not is_repeated(builder.builder, 1)
    declared, first = builder.build(reading(1_000))
    assert isinstance(declared, MeterDeclared) and declared.meter_index == 0
    assert isinstance(first, Reading) and first.sequence == 1


def test_a_clock_that_is_corrected_a_little_while_a_meter_answers_makes_no_reading_wrong() -> None:
    for early_ms in (300, STEP_MS - 1):
        (_, first) = DecodingBuilder().build(replace(reading(1_000), read_at_ms=NOW_MS - early_ms))
        assert isinstance(first, Reading) and (first.slot_s, first.read_offset_ms) == (NOW_MS // 1000, 0)
        assert (first.time_quality, first.meter_state, first.flags) == ("S", "E", 0)
    with pytest.raises(ImplausibleError, match="METER_001"):
        DecodingBuilder().build(replace(reading(1_000), read_at_ms=NOW_MS - STEP_MS))


def digest(number: int) -> bytes:
    return b"%16d" % number


def is_repeated(builder: RecordBuilder, number: int) -> bool:
    return builder.publications.is_repeated("METER_001", digest(number), 0, was_kept=True)


def test_after_a_restart_the_newest_messages_are_recognised(tmp_path: Path) -> None:
    ledger = new_ledger(tmp_path)
    builder = DecodingBuilder()
    for second in range(REMEMBERED + 50):
        ledger.commit(builder.builder.build(reading(1_000, second, message=digest(second)), KIND))
        if second % 100 == 0:
            ledger.seal()
    ledger.commit(builder.builder.build(reading(1_000, 10_000), KIND))
    again = RecordBuilder(TimeKeeper(ManualClock(NOW_MS), bytes(16)))
    with ledger.reading() as repository:
        messages = repository.messages()
        again.restore(repository.meters(), repository.counters(), repository.known(), messages)
    assert messages == [("METER_001", digest(second)) for second in range(50, REMEMBERED + 50)]
    for restored in (builder.builder, again):
        recognised = [is_repeated(restored, second) for second in range(REMEMBERED + 50)]
        assert recognised == [False] * 50 + [True] * REMEMBERED
    ledger.commit(again.build(reading(1_000, 10_001, message=digest(50)), KIND))
    ledger.commit(again.build(reading(1_000, 10_002, message=digest(7)), KIND))
    with ledger.reading() as repository:
        newest = repository.messages()
    assert (len(newest), newest[0][1], newest[-2][1], newest[-1][1]) == (REMEMBERED, digest(52), digest(50), digest(7))
