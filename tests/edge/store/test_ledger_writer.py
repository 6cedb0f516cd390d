"""The writer of the ledger: few commits, futures that tell what is durable, and bounds while the disk refuses."""

import asyncio
from pathlib import Path

import pytest

from edge.errors import StorageError
from edge.offline.ledger_reader import open_ledger
from edge.store.batch import Batch
from edge.store.ledger_writer import MAX_RECEIPTS, LedgerWriter, Limits
from edge.store.repository import StoredFrame
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
