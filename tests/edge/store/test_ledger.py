"""The ledger and its writer: durable before anything else, honest when the disk is not, and bounded."""

import asyncio
import os
import sqlite3
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from nacl.signing import SigningKey

from edge.errors import ImplausibleError, StorageError
from edge.meters.readings import MeterReading
from edge.offline.frame_chain import check_chain
from edge.offline.ledger_reader import open_ledger
from edge.record_builder import RECENT, RecordBuilder
from edge.runtime.clock import ManualClock, TimeKeeper
from edge.store.batch import Batch
from edge.store.ledger import Ledger, Signer
from edge.store.ledger_writer import MAX_RECEIPTS, LedgerWriter, Limits
from edge.store.repository import StoredFrame
from edge.wire.frames import NO_PREVIOUS
from edge.wire.kinds import BufferQuarantine, CounterEvent, Gap, MeterDeclared, Reading, Stop
from edge.wire.receipts import Receipt
from edge.wire.records import decode_record, encode_record
from support.servers.nats import at_least, eventually

NOW_MS = 1_780_000_000_000
KEY = SigningKey(bytes(range(32)))
DAY_MS = 86_400_000


def ledger_in(folder: Path, clock: ManualClock | None = None, boot: bytes = b"b" * 16) -> Ledger:
    made = Ledger(folder / "ledger.sqlite", Signer("gw-north", boot, KEY), clock or ManualClock(NOW_MS))
    made.open()
    return made


def stop(number: int) -> bytes:
    return encode_record(Stop(NOW_MS + number, "x" * 60))


def test_frames_continue_the_chain_of_the_boot_before(tmp_path: Path) -> None:
    first = ledger_in(tmp_path)
    first.commit(Batch(records=[stop(n) for n in range(300)]))
    sealed = first.seal()
    first.commit(Batch(records=[stop(300)]))
    first.close()
    assert [(s.sequence, s.frame.header.record_count) for s in sealed] == [(1, 256), (2, 44)]
    second = ledger_in(tmp_path, boot=b"c" * 16)
    (next_one,) = second.seal()
    assert (next_one.sequence, next_one.frame.header.boot_id) == (1, b"c" * 16)
    assert next_one.frame.header.previous_hash == sealed[-1].frame.header_hash
    assert second.seal() == []


def test_only_a_receipt_ends_the_waiting(tmp_path: Path) -> None:
    clock = ManualClock(NOW_MS)
    ledger = ledger_in(tmp_path, clock)
    for number in range(4):
        ledger.commit(Batch(records=[stop(number)]))
        ledger.seal()
    ledger.commit(Batch(receipts=[Receipt("gw-north", 1, {b"b" * 16: [(1, 2), (4, 4)], b"z" * 16: [(3, 3)]})]))
    with ledger.reading() as repository:
        assert repository.waiting_sequences(9) == [(b"b" * 16, 3)]
    clock.advance(31 * DAY_MS)
    assert ledger.prune(keep_ms=30 * DAY_MS, max_bytes=2**30) == []
    with open_ledger(tmp_path) as reader:
        assert [frame.header.sequence for frame in reader.frames()] == [3]


def test_eviction_leaves_a_gap_record(tmp_path: Path) -> None:
    ledger = ledger_in(tmp_path)
    for number in range(400):
        ledger.commit(Batch(records=[stop(number)] * 20))
        ledger.seal()
    (gap, *_) = ledger.prune(keep_ms=DAY_MS, max_bytes=400_000)
    assert (gap.boot_id, gap.first) == (b"b" * 16, 1)
    with ledger.reading() as repository:
        assert repository.used_bytes() <= 400_000
        assert repository.waiting_sequences(1) == [(b"b" * 16, gap.last + 1)]
    (sealed,) = ledger.seal()
    assert isinstance(decode_record(sealed.frame.records[0]), Gap)


def test_a_file_that_breaks_while_it_is_used(tmp_path: Path) -> None:
    ledger = ledger_in(tmp_path)
    ledger.commit(Batch(records=[stop(n) for n in range(50)]))
    (before,) = ledger.seal()
    ledger.close()
    raw = bytearray(ledger.path.read_bytes())
    raw[4096:12_288] = os.urandom(8192)
    ledger.path.write_bytes(raw)
    ledger.commit(Batch(records=[stop(99)]))
    (after,) = ledger.seal()
    kinds = [type(decode_record(record)) for record in after.frame.records]
    assert kinds == [BufferQuarantine, Stop]
    assert after.frame.header.previous_hash == before.frame.header_hash, "what was sealed last is still known"
    assert list(tmp_path.glob("ledger.sqlite.quarantine-*"))


def test_a_broken_file_that_can_not_be_put_aside(tmp_path: Path) -> None:
    ledger = ledger_in(tmp_path)
    ledger.commit(Batch(records=[stop(1)]))
    ledger.seal()
    ledger.close()
    raw = bytearray(ledger.path.read_bytes())
    raw[4096:] = os.urandom(len(raw) - 4096)
    ledger.path.write_bytes(raw)
    ledger._db = sqlite3.connect(ledger.path, isolation_level=None)
    in_the_way = ledger.path.with_name(f"ledger.sqlite.quarantine-{NOW_MS}")
    in_the_way.mkdir()
    for _ in range(2):
        with pytest.raises(StorageError), ledger.reading() as repository:
            repository.backlog()
    in_the_way.rmdir()
    with ledger.reading() as repository:
        assert repository.backlog().frames == 0
    assert in_the_way.is_file()


class Doubtful:
    """A connection whose next commit fails: ``before`` it became durable, or ``after``."""

    def __init__(self, ledger: Ledger, when: str) -> None:
        self._db, self._when = ledger._opened(), when
        ledger._db = self  # type: ignore[assignment]

    def execute(self, sql: str, *values: Any) -> sqlite3.Cursor:
        if sql == "COMMIT":
            if self._when == "after":
                self._db.execute(sql)
            raise sqlite3.OperationalError("disk I/O error")
        return self._db.execute(sql, *values)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._db, name)


def test_the_first_frame_follows_nothing_though_its_first_commit_failed(tmp_path: Path) -> None:
    ledger = ledger_in(tmp_path)
    ledger.commit(Batch(records=[stop(1)]))
    Doubtful(ledger, "before")
    with pytest.raises(StorageError):
        ledger.seal()
    (sealed,) = ledger.seal()
    assert (sealed.sequence, sealed.frame.header.previous_hash) == (1, NO_PREVIOUS)


def test_a_commit_that_became_durable_but_said_it_failed(tmp_path: Path) -> None:
    ledger = ledger_in(tmp_path)
    ledger.commit(Batch(records=[stop(1)]))
    Doubtful(ledger, "after")
    with pytest.raises(StorageError):
        ledger.seal()
    ledger.commit(Batch(records=[stop(2)]))
    assert [stored.sequence for stored in ledger.seal()] == [2]
    with open_ledger(tmp_path) as reader:
        report = check_chain(reader.frames(), bytes(KEY.verify_key))
    assert (report.frames, report.faults) == (2, [])


def test_a_sequence_is_not_given_again_when_its_frame_is_pruned(tmp_path: Path) -> None:
    ledger = ledger_in(tmp_path)
    ledger.commit(Batch(records=[stop(1)]))
    ledger.seal([])
    ledger.commit(Batch(receipts=[Receipt("gw-north", 1, {b"b" * 16: [(1, 1)]})]))
    ledger.prune(keep_ms=-1, max_bytes=2**30)
    ledger.commit(Batch(records=[stop(2)]))
    assert [stored.sequence for stored in ledger.seal()] == [2]


async def test_receipts_that_wait_for_the_disk_are_bounded(tmp_path: Path) -> None:
    ledger = ledger_in(tmp_path)
    for number in range(MAX_RECEIPTS + 1):
        ledger.commit(Batch(records=[stop(number)]))
        ledger.seal()
    writer = LedgerWriter(ledger, Limits())
    for number in range(MAX_RECEIPTS + 1):
        writer.add_receipt(Receipt("gw-north", 1, {b"b" * 16: [(number + 1, number + 1)]}))
    Doubtful(ledger, "before")
    with pytest.raises(StorageError):
        await writer._seal_now()
    await writer._seal_now()
    with ledger.reading() as repository:
        assert repository.waiting_sequences(9) == [(b"b" * 16, 1)], "the oldest receipt had no room"
    await writer.close()


def test_a_disk_that_is_full(tmp_path: Path) -> None:
    ledger = ledger_in(tmp_path)
    ledger._opened().execute("PRAGMA max_page_count = 20")
    with pytest.raises(StorageError, match="make room"):
        ledger.commit(Batch(records=[stop(number) for number in range(20_000)]))
    ledger.commit(Batch(records=[stop(1)]))


async def test_what_comes_within_a_moment_shares_a_commit(tmp_path: Path) -> None:
    writer = LedgerWriter(ledger_in(tmp_path), Limits(seal_interval_s=60))
    task = asyncio.create_task(writer.run())
    await asyncio.gather(*(writer.append(Batch(records=[stop(n)])) for n in range(50)))
    assert writer.commits == 1
    writer.stop()
    await task
    await writer.store_rest()
    await writer.close()
    with open_ledger(tmp_path) as reader:
        assert [frame.header.record_count for frame in reader.frames()] == [50]


async def test_a_slot_costs_two_commits_receipts_included(tmp_path: Path) -> None:
    frames: list[StoredFrame] = []
    writer = LedgerWriter(ledger_in(tmp_path), Limits(seal_interval_s=0.1), frames.extend)
    task = asyncio.create_task(writer.run())
    for slot in range(1, 4):
        await writer.append(Batch(records=[stop(slot)]))
        await eventually(at_least(slot, frames), what="the slot's frame")
        writer.add_receipt(Receipt("gw-north", 1, {b"b" * 16: [(slot, slot)]}))
    assert writer.commits == 6
    writer.stop()
    await task
    await writer.store_rest()
    with writer.ledger.reading() as repository:
        assert repository.backlog().frames == 0
    await writer.close()


def reading(import_wh: int, at_s: int = 0, serial: str = "A", **more: object) -> MeterReading:
    at_ms = NOW_MS + at_s * 1000
    return MeterReading("METER_001", at_ms // 1000, at_ms, import_wh, 0, serial=serial, **more)  # type: ignore[arg-type]


class Recorded:
    """A record builder, and the records that it built."""

    def __init__(self, at_s: int = 0) -> None:
        self.builder = RecordBuilder(TimeKeeper(ManualClock(NOW_MS + at_s * 1000), bytes(16)))

    def build(self, given: MeterReading) -> list[object]:
        batch = self.builder.build(given, "sdm630", b"p" * 32, 30_000)
        return [decode_record(record) for record in batch.records]


def test_a_meter_is_declared_once_a_boot_and_again_after_a_swap() -> None:
    recorded = Recorded()
    assert [type(record) for record in recorded.build(reading(1_000))] == [MeterDeclared, Reading]
    assert [type(record) for record in recorded.build(reading(1_010, 60))] == [Reading]
    declared, event, last = recorded.build(reading(5, 120, serial="B"))
    assert isinstance(declared, MeterDeclared) and (declared.meter_index, declared.serial) == (1, "B")
    assert isinstance(event, CounterEvent) and (event.event, event.import_before_wh, event.import_after_wh) == (
        "swap",
        1010,
        5,
    )
    assert isinstance(last, Reading) and (last.meter_index, last.sequence) == (1, 3)


def test_what_can_not_be_true_is_not_recorded_until_it_insists() -> None:
    recorded = Recorded()
    recorded.build(reading(1_000))
    for second in (60, 120):
        with pytest.raises(ImplausibleError, match="not possible"):
            recorded.build(reading(50_000_000, second))
    records = recorded.build(reading(50_000_001, 180))
    assert [type(record) for record in records] == [CounterEvent, Reading]
    recorded = Recorded()
    recorded.build(reading(1_000))
    for second, wild in ((60, 50_000_000), (120, 90_000_000), (180, 70_000_000), (240, 20_000_000)):
        with pytest.raises(ImplausibleError):
            recorded.build(reading(wild, second))
    assert [type(record) for record in recorded.build(reading(1_020, 300))] == [Reading]


def test_a_publication_that_was_overtaken_changes_no_counters() -> None:
    recorded = Recorded(at_s=90)
    recorded.build(reading(1_000))
    recorded.build(reading(1_100, 60, pushed=True))
    (late,) = recorded.build(reading(1_050, 30, pushed=True))
    assert isinstance(late, Reading) and (late.sequence, late.import_wh) == (3, 1_050)
    assert [type(record) for record in recorded.build(reading(1_101, 90, pushed=True))] == [Reading]
    assert recorded.builder.is_recorded("METER_001", NOW_MS + 30_000)
    assert not recorded.builder.is_recorded("METER_001", NOW_MS + 31_000)


def test_one_publication_from_the_future_does_not_end_the_judging() -> None:
    recorded = Recorded()
    recorded.build(reading(1_000, -60, pushed=True))
    assert [type(record) for record in recorded.build(reading(1_010, 2_000_000_000, pushed=True))] == [Reading]
    with pytest.raises(ImplausibleError, match="not possible"):
        recorded.build(reading(900_000_000, 0, pushed=True))
    assert [type(record) for record in recorded.build(reading(1_020, 0, pushed=True))] == [Reading]


@pytest.mark.parametrize("wrong", [
    {"import_wh": 2**63}, {"import_wh": 10**40}, {"export_wh": 2**64 - 2}, {"quantities": ((1, 10**30, 0),)},
    {"serial": "Zähler 7"}, {"serial": "7\0"}, {"slot_s": 2**41}, {"slot_s": -1},
    {"slot_s": NOW_MS // 1000 - 2**32 // 1000 - 1}, {"slot_s": NOW_MS // 1000 + 2},
])  # fmt: skip
def test_what_no_record_can_hold_is_refused_and_leaves_the_book_as_it_was(wrong: dict[str, Any]) -> None:
    recorded = Recorded()
    with pytest.raises(ImplausibleError, match="METER_001"):
        recorded.build(replace(reading(1_000), **wrong))
    assert not recorded.builder.is_recorded("METER_001", NOW_MS)
    declared, first = recorded.build(reading(1_000))
    assert isinstance(declared, MeterDeclared) and declared.meter_index == 0
    assert isinstance(first, Reading) and first.sequence == 1


def test_a_clock_that_is_corrected_a_little_while_a_meter_answers_makes_no_reading_wrong() -> None:
    (_, first) = Recorded().build(replace(reading(1_000), read_at_ms=NOW_MS - 300))
    assert isinstance(first, Reading) and (first.slot_s, first.read_offset_ms) == (NOW_MS // 1000, 0)


def test_after_a_restart_the_newest_publications_are_known_again(tmp_path: Path) -> None:
    ledger = ledger_in(tmp_path)
    recorded = Recorded()
    for second in range(RECENT + 50):
        ledger.commit(recorded.builder.build(reading(1_000, second), "sdm630", b"p" * 32, 30_000))
        if second % 100 == 0:
            ledger.seal()
    again = RecordBuilder(TimeKeeper(ManualClock(NOW_MS), bytes(16)))
    with ledger.reading() as repository:
        again.restore(repository.meters(), repository.counters())
        again.restore_recent(repository.recent_bodies(NOW_MS - 1))
    known = [again.is_recorded("METER_001", NOW_MS + second * 1000) for second in range(RECENT + 50)]
    assert known == [False] * 50 + [True] * RECENT


def test_a_damaged_frame_keeps_nobody_from_starting(tmp_path: Path) -> None:
    ledger = ledger_in(tmp_path)
    for number in range(3):
        ledger.commit(Batch(records=[stop(number)]))
        ledger.seal()
    ledger._opened().execute("UPDATE frame SET body = x'c4ff00' WHERE sequence = 2")
    with ledger.reading() as repository:
        assert repository.recent_bodies(0) == [stop(0), stop(2)]
