"""The ledger: durable before anything else, its chain unbroken, and honest when the disk is not."""

import os
import sqlite3
from pathlib import Path

import pytest

from edge.errors import StorageError
from edge.offline.frame_chain import check_chain
from edge.offline.ledger_reader import open_ledger
from edge.runtime.clock import ManualClock
from edge.store.batch import Batch
from edge.wire.frames import NO_PREVIOUS
from edge.wire.kinds import BufferQuarantine, Gap, Stop
from edge.wire.receipts import Receipt
from edge.wire.records import decode_record
from support.rows.gateway_ledger import BOOT_ID, KEY, NOW_MS, FailingCommit, new_ledger, stop_record

DAY_MS = 86_400_000


def test_frames_continue_the_chain_of_the_boot_before(tmp_path: Path) -> None:
    first = new_ledger(tmp_path)
    first.commit(Batch(records=[stop_record(n) for n in range(300)]))
    sealed = first.seal()
    first.commit(Batch(records=[stop_record(300)]))
    first.close()
    assert [(s.sequence, s.frame.header.record_count) for s in sealed] == [(1, 256), (2, 44)]
    second = new_ledger(tmp_path, boot_id=b"c" * 16)
    (continued,) = second.seal()
    assert (continued.sequence, continued.frame.header.boot_id) == (1, b"c" * 16)
    assert continued.frame.header.previous_hash == sealed[-1].frame.header_hash
    assert second.seal() == []


def test_only_a_receipt_ends_the_waiting(tmp_path: Path) -> None:
    clock = ManualClock(NOW_MS)
    ledger = new_ledger(tmp_path, clock)
    for number in range(4):
        ledger.commit(Batch(records=[stop_record(number)]))
        ledger.seal()
    ledger.commit(Batch(receipts=[Receipt("gw-north", 1, {BOOT_ID: [(1, 2), (4, 4)], b"z" * 16: [(3, 3)]})]))
    with ledger.reading() as repository:
        assert repository.waiting_sequences(9) == [(BOOT_ID, 3)]
    clock.advance(31 * DAY_MS)
    assert ledger.prune(keep_ms=30 * DAY_MS, max_bytes=2**30) == []
    with open_ledger(tmp_path) as reader:
        assert [frame.header.sequence for frame in reader.frames()] == [3]


def test_eviction_leaves_a_gap_record(tmp_path: Path) -> None:
    ledger = new_ledger(tmp_path)
    for number in range(400):
        ledger.commit(Batch(records=[stop_record(number)] * 20))
        ledger.seal()
    (gap, *_) = ledger.prune(keep_ms=DAY_MS, max_bytes=400_000)
    assert (gap.boot_id, gap.first) == (BOOT_ID, 1)
    with ledger.reading() as repository:
        assert repository.used_bytes() <= 400_000
        assert repository.waiting_sequences(1) == [(BOOT_ID, gap.last + 1)]
    (sealed,) = ledger.seal()
    assert isinstance(decode_record(sealed.frame.records[0]), Gap)


def test_a_file_that_breaks_while_it_is_used(tmp_path: Path) -> None:
    ledger = new_ledger(tmp_path)
    ledger.commit(Batch(records=[stop_record(n) for n in range(50)]))
    (before,) = ledger.seal()
    ledger.close()
    raw = bytearray(ledger.path.read_bytes())
    raw[4096:12_288] = os.urandom(8192)
    ledger.path.write_bytes(raw)
    ledger.commit(Batch(records=[stop_record(99)]))
    (after,) = ledger.seal()
    kinds = [type(decode_record(record)) for record in after.frame.records]
    assert kinds == [BufferQuarantine, Stop]
    assert after.frame.header.previous_hash == before.frame.header_hash, "what was sealed last is still known"
    assert list(tmp_path.glob("ledger.sqlite.quarantine-*"))


def test_a_broken_file_that_can_not_be_put_aside(tmp_path: Path) -> None:
    ledger = new_ledger(tmp_path)
    ledger.commit(Batch(records=[stop_record(1)]))
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


def test_the_first_frame_follows_nothing_though_its_first_commit_failed(tmp_path: Path) -> None:
    ledger = new_ledger(tmp_path)
    ledger.commit(Batch(records=[stop_record(1)]))
    FailingCommit(ledger, "before")
    with pytest.raises(StorageError):
        ledger.seal()
    (sealed,) = ledger.seal()
    assert (sealed.sequence, sealed.frame.header.previous_hash) == (1, NO_PREVIOUS)


def test_a_commit_that_became_durable_but_said_it_failed(tmp_path: Path) -> None:
    ledger = new_ledger(tmp_path)
    ledger.commit(Batch(records=[stop_record(1)]))
    FailingCommit(ledger, "after")
    with pytest.raises(StorageError):
        ledger.seal()
    ledger.commit(Batch(records=[stop_record(2)]))
    assert [stored.sequence for stored in ledger.seal()] == [2]
    with open_ledger(tmp_path) as reader:
        report = check_chain(reader.frames(), bytes(KEY.verify_key))
    assert (report.frames, report.faults) == (2, [])


def test_a_sequence_is_not_given_again_when_its_frame_is_pruned(tmp_path: Path) -> None:
    ledger = new_ledger(tmp_path)
    ledger.commit(Batch(records=[stop_record(1)]))
    ledger.seal([])
    ledger.commit(Batch(receipts=[Receipt("gw-north", 1, {BOOT_ID: [(1, 1)]})]))
    ledger.prune(keep_ms=-1, max_bytes=2**30)
    ledger.commit(Batch(records=[stop_record(2)]))
    assert [stored.sequence for stored in ledger.seal()] == [2]


def test_a_disk_that_is_full(tmp_path: Path) -> None:
    ledger = new_ledger(tmp_path)
    ledger._opened().execute("PRAGMA max_page_count = 20")
    with pytest.raises(StorageError, match="make room"):
        ledger.commit(Batch(records=[stop_record(number) for number in range(20_000)]))
    ledger.commit(Batch(records=[stop_record(1)]))


def test_a_power_cut_takes_nothing_that_was_durable_and_nobody_else_reads_it(tmp_path: Path) -> None:
    before = os.umask(0)
    try:
        ledger = new_ledger(tmp_path)
        ledger.commit(Batch(records=[stop_record(1)]))
    finally:
        os.umask(before)
    db = ledger._opened()
    assert db.execute("PRAGMA synchronous").fetchone() == (2,), "FULL: the log is on the disk after each commit"
    assert db.execute("PRAGMA journal_mode").fetchone() == ("wal",)
    assert {file.name: file.stat().st_mode & 0o777 for file in tmp_path.iterdir()} == {
        "ledger.sqlite": 0o600, "ledger.sqlite-wal": 0o600, "ledger.sqlite-shm": 0o600,
    }  # fmt: skip
    ledger.close()


def test_a_frame_stays_as_long_as_it_shall_after_its_receipt(tmp_path: Path) -> None:
    clock = ManualClock(NOW_MS)
    ledger = new_ledger(tmp_path, clock)
    ledger.commit(Batch(records=[stop_record(1)]))
    ledger.seal()
    ledger.commit(Batch(receipts=[Receipt("gw-north", 1, {BOOT_ID: [(1, 1)]})]))
    clock.advance(DAY_MS)
    ledger.prune(keep_ms=DAY_MS, max_bytes=2**30)
    with ledger.reading() as repository:
        assert repository.count_frames() == 1
        clock.advance(1)
    ledger.prune(keep_ms=DAY_MS, max_bytes=2**30)
    with ledger.reading() as repository:
        assert repository.count_frames() == 0


def test_a_ledger_that_is_too_large_without_any_frame_is_left_alone(tmp_path: Path) -> None:
    assert new_ledger(tmp_path).prune(keep_ms=DAY_MS, max_bytes=1) == []


def test_frames_with_a_receipt_are_given_up_before_any_other(tmp_path: Path) -> None:
    ledger = new_ledger(tmp_path)
    for number in range(300):
        ledger.commit(Batch(records=[stop_record(number)]))
        ledger.seal()
    ledger.commit(Batch(receipts=[Receipt("gw-north", 1, {BOOT_ID: [(201, 300)]})]))
    with ledger.reading() as repository:
        assert repository.evict(60) == [] and repository.count_frames() == 240
        assert repository.evict(60) == [] and repository.count_frames() == 200
        assert repository.evict(3) == [(BOOT_ID, 1), (BOOT_ID, 2), (BOOT_ID, 3)]
        assert repository.waiting_sequences(1) == [(BOOT_ID, 4)] and repository.count_frames() == 197


def test_what_was_put_aside_is_named_in_log_and_record(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    (tmp_path / "ledger.sqlite").write_bytes(b"no ledger" * 100)
    ledger = new_ledger(tmp_path)
    (sealed,) = ledger.seal()
    (record,) = map(decode_record, sealed.frame.records)
    assert isinstance(record, BufferQuarantine)
    name = f"ledger.sqlite.quarantine-{NOW_MS}"
    assert (record.at_ms, record.file_name, record.size_bytes) == (NOW_MS, name, 900)
    (line,) = caplog.records
    assert line.__dict__.items() >= {
        "reason": record.reason, "file": str(tmp_path / name), "bytes": 900,
    }.items() and record.reason  # fmt: skip
    with ledger.reading() as repository:
        assert 256 <= int.from_bytes(repository.meta("first_meter_index") or b"", "big") < 50_256
