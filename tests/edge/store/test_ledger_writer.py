"""The writer of the ledger: few commits, futures that tell what is durable, and bounds while the disk refuses."""

import asyncio
from collections.abc import Sequence
from pathlib import Path

import pytest

from edge.errors import StorageError
from edge.offline.ledger_reader import open_ledger
from edge.store import ledger_writer
from edge.store.batch import Batch
from edge.store.ledger_writer import MAX_RECEIPTS, LedgerWriter, Limits
from edge.store.repository import CounterRow, MeterRow, StoredFrame
from edge.wire.receipts import Receipt
from support.rows.gateway_ledger import BOOT_ID, FailingCommit, new_ledger, stop_record
from support.waiting import at_least, eventually


async def test_receipts_that_wait_for_the_disk_are_bounded(tmp_path: Path) -> None:
    ledger = new_ledger(tmp_path)
    for number in range(MAX_RECEIPTS + 1):
        ledger.commit(Batch(records=[stop_record(number)]))
        ledger.seal()
    writer = LedgerWriter(ledger, Limits())
    for number in range(MAX_RECEIPTS + 1):
        writer.add_receipt(Receipt("gw-north", 1, {BOOT_ID: [(number + 1, number + 1)]}))
    FailingCommit(ledger, "before")
    with pytest.raises(StorageError):
        await writer._seal_now()
    await writer._seal_now()
    with ledger.reading() as repository:
        assert repository.waiting_sequences(9) == [(BOOT_ID, 1)], "the oldest receipt had no room"
    await writer.close()


async def test_what_comes_within_a_moment_shares_a_commit(tmp_path: Path) -> None:
    writer = LedgerWriter(new_ledger(tmp_path), Limits(seal_interval_s=60))
    task = asyncio.create_task(writer.run())
    await asyncio.gather(*(writer.append(Batch(records=[stop_record(n)])) for n in range(50)))
    assert writer.commits == 1
    writer.stop()
    await task
    await writer.store_rest()
    await writer.close()
    with open_ledger(tmp_path) as reader:
        assert [frame.header.record_count for frame in reader.frames()] == [50]


async def test_a_slot_costs_two_commits_receipts_included(tmp_path: Path) -> None:
    frames: list[StoredFrame] = []
    writer = LedgerWriter(new_ledger(tmp_path), Limits(seal_interval_s=0.1), frames.extend)
    task = asyncio.create_task(writer.run())
    for slot in range(1, 4):
        await writer.append(Batch(records=[stop_record(slot)]))
        await eventually(at_least(slot, frames), what="the slot's frame")
        writer.add_receipt(Receipt("gw-north", 1, {BOOT_ID: [(slot, slot)]}))
    assert writer.commits == 6
    writer.stop()
    await task
    await writer.store_rest()
    with writer.ledger.reading() as repository:
        assert repository.backlog().frames == 0
    await writer.close()


async def test_frames_that_are_given_up_are_named(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    ledger = new_ledger(tmp_path)
    for number in range(300):
        ledger.commit(Batch(records=[stop_record(number)] * 20))
        ledger.seal()
    writer = LedgerWriter(ledger, Limits(max_bytes=400_000))
    await writer._prune()
    (line,) = caplog.records
    assert line.__dict__.items() >= {"boot_id": BOOT_ID.hex(), "first": 1, "last": 256}.items()
    assert writer._seal_at_s is not None, "the gap record is sealed soon"
    await writer.close()


async def test_a_receipt_is_written_in_its_time_though_nothing_else_is(tmp_path: Path) -> None:
    writer = LedgerWriter(new_ledger(tmp_path), Limits(seal_interval_s=60, receipt_wait_s=0.05))
    writer.ledger.commit(Batch(records=[stop_record(1)]))
    writer.ledger.seal()
    task = asyncio.create_task(writer.run())
    await eventually(lambda: writer._pause_s(1e12) > 0, what="a writer that sleeps")
    writer.add_receipt(Receipt("gw-north", 1, {BOOT_ID: [(1, 1)]}))

    await eventually(lambda: _all_stored(writer), what="the receipt")
    writer.stop()
    await task
    await writer.close()
    assert Limits() == Limits(seal_interval_s=5, receipt_wait_s=30, keep_ms=30 * 86_400_000, max_bytes=512 * 2**20)


async def test_a_receipt_that_comes_during_a_seal_is_written_in_its_time(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ledger = new_ledger(tmp_path)
    for number in range(2):
        ledger.commit(Batch(records=[stop_record(number)]))
        ledger.seal()
    writer = LedgerWriter(ledger, Limits(seal_interval_s=60, receipt_wait_s=0.05))
    first, second = (Receipt("gw-north", 1, {BOOT_ID: [(number, number)]}) for number in (1, 2))
    loop, seal = asyncio.get_running_loop(), ledger.seal

    def seal_meanwhile(receipts: Sequence[Receipt] = ()) -> list[StoredFrame]:
        if first in receipts:
            loop.call_soon_threadsafe(writer.add_receipt, second)
        return seal(receipts)

    monkeypatch.setattr(ledger, "seal", seal_meanwhile)
    task = asyncio.create_task(writer.run())
    writer.add_receipt(first)

    await eventually(lambda: _all_stored(writer), what="both receipts")
    writer.stop()
    await task
    await writer.close()


async def _all_stored(writer: LedgerWriter) -> bool:
    """Whether every frame has a receipt."""
    return await writer.call(_backlog, writer) == 0


def _backlog(writer: LedgerWriter) -> int:
    with writer.ledger.reading() as repository:
        return repository.backlog().frames


async def test_the_earlier_of_two_deadlines_counts(tmp_path: Path) -> None:
    writer = LedgerWriter(new_ledger(tmp_path), Limits(receipt_wait_s=500))
    writer._seal_within(100)
    writer.add_receipt(Receipt("gw-north", 1, {}))
    loop = asyncio.get_running_loop()
    assert 0 < writer._pause_s(loop.time() + 1_000) <= 100
    writer._seal_within(50)
    assert writer._pause_s(loop.time() + 1_000) <= 50 and writer._pause_s(loop.time() + 20) <= 20
    assert writer._pause_s(loop.time() - 5) == 0
    writer._seal_at_s = None
    assert 990 < writer._pause_s(loop.time() + 1_000) <= 1_000
    await writer.close()


async def test_a_disk_that_refuses_is_asked_again_after_pauses_until_the_end(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The last of the pauses is the longest; ``stop`` ends it."""
    writer = LedgerWriter(new_ledger(tmp_path), Limits())
    attempts = 0

    async def refused() -> None:
        nonlocal attempts
        attempts += 1
        assert attempts <= 3, "the third pause lasts until the end"
        raise StorageError("no room")

    monkeypatch.setattr(ledger_writer, "RETRY_S", (0.01, 0.02, 3_600))
    repeating = asyncio.create_task(writer._repeat(refused))
    await eventually(lambda: attempts == 3, what="three attempts")
    assert (writer.trouble, repeating.done()) == ("no room", False)
    writer.stop()
    await repeating
    await writer.close()


def test_a_batch_with_anything_is_no_empty_one() -> None:
    row = CounterRow("METER_001", 0, 1, 2, 3, 4, "")
    parts: list[Batch] = [
        Batch(records=[b"x"]), Batch(counters={"METER_001": row}),
        Batch(meters=[MeterRow(0, "METER_001", "", "p", b"")]),
        Batch(receipts=[Receipt("gw-north", 1)]), Batch(dropped=1),
    ]  # fmt: skip
    assert not Batch() and all(parts)
    whole = Batch.joined([*parts, Batch(records=[b"y"], dropped=2)])
    assert (whole.records, list(whole.counters), len(whole.meters), len(whole.receipts), whole.dropped) == (
        [b"x", b"y"], ["METER_001"], 1, 1, 3,
    )  # fmt: skip
