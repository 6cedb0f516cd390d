"""Up to when everything is with the hub: sealed at interval boundaries, and said only when it is true."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from edge.completeness import MAX_OLD_FRAMES, Completeness
from edge.runtime.clock import ManualClock
from edge.store.batch import Batch
from edge.store.ledger import Ledger
from edge.store.ledger_writer import LedgerWriter, Limits
from edge.wire.kinds import Reading
from edge.wire.receipts import Receipt
from edge.wire.records import encode_record
from support.rows.gateway_ledger import BOOT_ID, new_ledger, stop_record
from support.waiting import PATIENCE_S, eventually

OLD = b"o" * 16
BEGIN_S = 1_780_000_200
"""A multiple of 900 s."""


def reading(slot_s: int) -> Batch:
    return Batch(records=[encode_record(Reading(0, 1, slot_s, 0, "S", "G", 0, 1, 1))])


class Poller:
    """What a poller says, and the intake."""

    done_s = waiting = 0


@contextlib.asynccontextmanager
async def running(
    folder: Path, *, publishes: bool = False, begin_s: int = BEGIN_S
) -> AsyncIterator[tuple[Completeness, ManualClock, Poller, list[int]]]:
    """Completeness beside a writer that seals every hour by itself; the list has the frames that were sealed."""
    clock, poller, sealed = ManualClock(begin_s * 1000), Poller(), list[int]()
    ledger = new_ledger(folder, clock)
    writer = LedgerWriter(ledger, Limits(seal_interval_s=3_600, receipt_wait_s=3_600))
    writer.on_frames = lambda frames: sealed.extend(stored.sequence for stored in frames)
    completeness = Completeness(
        900, 60, clock, writer, BOOT_ID, lambda: poller.done_s, lambda: poller.waiting, publishes
    )
    tasks = [asyncio.create_task(writer.run()), asyncio.create_task(completeness.run())]
    # It begins at this time, before the clock is set
    await asyncio.sleep(0)
    try:
        yield completeness, clock, poller, sealed
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.wait(tasks)
        await writer.close()


def until_s(completeness: Completeness) -> int:
    with completeness.writer.ledger.reading() as repository:
        return completeness.until_s(repository)


def stored(ledger: Ledger, boot_id: bytes, first: int, last: int) -> None:
    ledger.commit(Batch(receipts=[Receipt("gw-north", 1, {boot_id: [(first, last)]})]))


async def moved_to(completeness: Completeness, boundary_s: int) -> None:
    await eventually(lambda: until_s(completeness) == boundary_s, what=f"complete until {boundary_s}")


async def test_a_boundary_is_sealed_when_its_slot_is_finished_and_complete_with_its_receipt(tmp_path: Path) -> None:
    async with running(tmp_path) as (completeness, clock, poller, sealed):
        told = asyncio.Event()
        completeness.on_sealed = told.set
        await completeness.writer.append(reading(BEGIN_S + 840))
        clock.advance(899_999)
        poller.done_s = BEGIN_S + 840
        assert sealed == []
        clock.advance(1)
        await completeness.writer.append(reading(BEGIN_S + 900))
        poller.done_s = BEGIN_S + 900
        await asyncio.wait_for(told.wait(), PATIENCE_S)
        assert sealed == [1] and until_s(completeness) == 0, "not with the hub yet"
        stored(completeness.writer.ledger, BOOT_ID, 1, 1)
        assert until_s(completeness) == BEGIN_S + 900
        await completeness.writer.append(reading(BEGIN_S + 1_740))
        clock.advance(900_000)
        poller.done_s = BEGIN_S + 1_800
        await eventually(lambda: sealed == [1, 2], what="the next boundary")
        assert until_s(completeness) == BEGIN_S + 900
        stored(completeness.writer.ledger, BOOT_ID, 2, 2)
        await moved_to(completeness, BEGIN_S + 1_800)


async def test_a_bus_that_is_late_holds_up_what_is_said_but_not_what_is_sealed(tmp_path: Path) -> None:
    async with running(tmp_path) as (completeness, clock, poller, sealed):
        await completeness.writer.append(reading(BEGIN_S + 900))
        clock.advance(959_999)
        poller.done_s = BEGIN_S + 840
        assert sealed == []
        clock.advance(1)
        await eventually(lambda: sealed == [1], what="its time is over")
        await completeness.writer.append(reading(BEGIN_S + 900))
        poller.waiting = 1
        poller.done_s = BEGIN_S + 900
        stored(completeness.writer.ledger, BOOT_ID, 1, 9)
        assert until_s(completeness) == 0
        poller.waiting = 0
        await eventually(lambda: sealed == [1, 2], what="the late one")
        stored(completeness.writer.ledger, BOOT_ID, 1, 9)
        await moved_to(completeness, BEGIN_S + 900)


async def test_what_is_published_may_be_a_minute_late(tmp_path: Path) -> None:
    async with running(tmp_path, publishes=True) as (completeness, clock, poller, sealed):
        poller.done_s = 2**63 - 1
        await completeness.writer.append(reading(BEGIN_S + 900))
        clock.advance(900_000)
        await eventually(lambda: sealed == [1], what="the boundary")
        stored(completeness.writer.ledger, BOOT_ID, 1, 1)
        clock.advance(60_999)
        assert not completeness._is_finished(BEGIN_S + 900) and until_s(completeness) == 0
        clock.advance(1)
        await moved_to(completeness, BEGIN_S + 900)


async def test_after_a_step_of_the_clock_nothing_is_said_of_the_future(tmp_path: Path) -> None:
    async with running(tmp_path) as (completeness, clock, poller, _):
        poller.done_s = 2**63 - 1
        clock.advance(900_000)
        await moved_to(completeness, BEGIN_S + 900)
        clock.step(7 * 3_600_000)
        await moved_to(completeness, BEGIN_S + 1_800)
        clock.advance(900_000)
        await moved_to(completeness, BEGIN_S + 1_800 + 7 * 3_600)
        clock.step(-8 * 3_600_000)
        assert until_s(completeness) == 0

        await eventually(lambda: all(at_s * 1000 <= clock.ms for at_s, _ in completeness._sealed), what="forgotten")

        def goes_on() -> bool:
            clock.advance(10_000)
            return until_s(completeness) > 0

        await eventually(goes_on, what="the next boundary of the clock that counts now")
        assert until_s(completeness) % 900 == 0 and until_s(completeness) * 1000 <= clock.ms


async def test_while_frames_of_an_earlier_start_wait_their_earliest_slot_counts(tmp_path: Path) -> None:
    old = new_ledger(tmp_path, boot_id=OLD)
    for slot_s in (None, BEGIN_S - 5_000, BEGIN_S - 6_000, BEGIN_S - 100):
        old.commit(Batch(records=[stop_record(1)]) if slot_s is None else reading(slot_s))
        if slot_s != BEGIN_S - 5_000:
            old.seal()
    old.close()
    async with running(tmp_path) as (completeness, clock, poller, _):
        poller.done_s = 2**63 - 1
        assert until_s(completeness) == 0, "no boundary yet"
        clock.advance(900_000)
        await moved_to(completeness, BEGIN_S - 6_060)
        stored(completeness.writer.ledger, OLD, 1, 2)
        assert until_s(completeness) == BEGIN_S - 160
        completeness.writer.ledger._opened().execute("UPDATE frame SET body = x'c4ff00' WHERE sequence = 3")
        assert until_s(completeness) == 0, "nobody can say what is in a damaged frame"
        stored(completeness.writer.ledger, OLD, 3, 3)
        assert until_s(completeness) == BEGIN_S + 900


@pytest.mark.parametrize("frames", [MAX_OLD_FRAMES - 1, MAX_OLD_FRAMES])
async def test_many_frames_without_a_reading_say_nothing(tmp_path: Path, frames: int) -> None:
    old = new_ledger(tmp_path, boot_id=OLD)
    for number in range(frames):
        old.commit(Batch(records=[stop_record(number)]))
        old.seal()
    old.close()
    async with running(tmp_path) as (completeness, clock, poller, _):
        poller.done_s = 2**63 - 1
        clock.advance(900_000)
        await eventually(lambda: bool(completeness._sealed), what="the boundary")
        assert until_s(completeness) == (BEGIN_S + 900 if frames < MAX_OLD_FRAMES else 0)


async def test_the_receipts_of_a_boundary_are_written_soon(tmp_path: Path) -> None:
    """By themselves they wait for the next commit, here an hour."""
    async with running(tmp_path) as (completeness, clock, poller, sealed):
        writer, heard = completeness.writer, asyncio.Event()
        await writer.append(reading(BEGIN_S + 900))
        poller.done_s = 2**63 - 1
        clock.advance(900_000)
        await eventually(lambda: sealed == [1], what="the boundary")
        writer.on_stored = heard.set
        writer.add_receipt(Receipt("gw-north", 1, {BOOT_ID: [(1, 1)]}))
        await asyncio.wait_for(heard.wait(), PATIENCE_S)
        assert until_s(completeness) == BEGIN_S + 900
