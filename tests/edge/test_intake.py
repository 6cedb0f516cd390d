"""Readings that come before the ledger could be read: they wait, within bounds, and are recorded once."""

import asyncio
from dataclasses import replace
from pathlib import Path

import pytest
from nacl.signing import SigningKey

from edge.errors import StorageError
from edge.intake import MAX_WAITING, Intake
from edge.meters.meter_kind import MeterKind
from edge.meters.points import Rules
from edge.meters.readings import MeterReading
from edge.record_builder import RecordBuilder
from edge.runtime.clock import ManualClock, TimeKeeper
from edge.store.ledger import Ledger, Signer
from edge.store.ledger_writer import LedgerWriter, Limits
from edge.wire.kinds import BufferQuarantine, CounterEvent, Reading
from support.rows.gateway_ledger import kept_records
from support.waiting import PATIENCE_S

NOW_MS = 1_780_000_000_000


def reading(second: int, import_wh: int = 1_000) -> MeterReading:
    at_ms = NOW_MS + second * 1000
    return MeterReading("METER_001", at_ms // 1000, at_ms, import_wh, 0, message=b"%16d" % second)


def new_intake(folder: Path, *others: str) -> tuple[Intake, LedgerWriter]:
    clock = ManualClock(NOW_MS + MAX_WAITING * 1000)
    ledger = Ledger(folder / "ledger.sqlite", Signer("gw-north", b"b" * 16, SigningKey(bytes(32))), clock)
    writer = LedgerWriter(ledger, Limits())
    kinds = dict.fromkeys(("METER_001", *others), MeterKind("sdm630", b"p" * 32, Rules(30_000, 60_000)))
    return Intake(RecordBuilder(TimeKeeper(clock, bytes(16))), writer, kinds), writer


async def test_a_repeated_publication_is_recorded_once_and_one_that_no_record_holds_never(tmp_path: Path) -> None:
    folder = tmp_path / "not-mounted"
    intake, writer = new_intake(folder)
    with pytest.raises(StorageError):
        await intake.restore()
    readings = [reading(0), reading(0), reading(60, 2**63), reading(60)]
    waiting = [intake.accept(accepted) for accepted in readings]
    assert intake.waiting == 4 and not any(future.done() for future in waiting)
    folder.mkdir()
    await intake.restore()
    assert [future.done() for future in waiting] == [False, False, True, False], "nothing is durable before its commit"
    await writer.store_rest()
    await asyncio.wait_for(asyncio.gather(*waiting), PATIENCE_S)
    recorded = [r for r in kept_records(writer.ledger) if isinstance(r, Reading)]
    assert [(r.sequence, r.slot_s - NOW_MS // 1000) for r in recorded] == [(1, 0), (2, 60)]
    await writer.close()


async def test_what_waits_for_the_ledger_is_bounded_and_a_record_says_what_was_lost(tmp_path: Path) -> None:
    intake, writer = new_intake(tmp_path)
    waiting = [intake.accept(reading(second)) for second in range(MAX_WAITING + 2)]
    assert [future.cancelled() for future in waiting[:3]] == [True, True, False]
    assert (intake.waiting, writer.dropped) == (MAX_WAITING, 2)
    await writer.store_rest()
    (record,) = kept_records(writer.ledger)
    assert isinstance(record, BufferQuarantine) and "2 readings dropped" in record.reason
    await writer.close()


async def test_what_waits_is_told_apart_by_meter_moment_and_who_read_it(tmp_path: Path) -> None:
    folder = tmp_path / "not-mounted"
    intake, writer = new_intake(folder, "METER_002")
    with pytest.raises(StorageError):
        await intake.restore()
    other = replace(reading(0), meter_id="METER_002")
    polled = replace(reading(60, 1_001), message=b"")
    for accepted in (reading(0), other, reading(0), polled, polled):
        intake.accept(accepted)
    folder.mkdir()
    await intake.restore()
    await writer.store_rest()
    with writer.ledger.reading() as repository:
        counted = sorted((row.meter_id, row.sequence) for row in repository.counters())
    assert counted == [("METER_001", 3), ("METER_002", 1)], "a polled reading is never taken for a repetition"
    await writer.close()
    assert MAX_WAITING == 20_000


async def test_doubts_and_messages_outlive_a_restart(tmp_path: Path) -> None:
    """Two zeros before it and one after it are the three that decide; a message from before it is known."""
    for started, values in ((0, (5_000, 5_001, 5_002, 0, 0)), (5, (0,))):
        intake, writer = new_intake(tmp_path)
        await intake.restore()
        for number, import_wh in enumerate(values, started):
            intake.accept(reading(60 * number, import_wh))
        assert intake._builder.publications.is_repeated("METER_001", b"%16d" % 60, 0, was_kept=True)
        await writer.store_rest()
        await writer.close()
    records = kept_records(writer.ledger)
    assert [(r.event, r.last_sequence, r.first_sequence) for r in records if isinstance(r, CounterEvent)] == [
        ("first", 0, 1), ("reset", 3, 4),
    ]  # fmt: skip
