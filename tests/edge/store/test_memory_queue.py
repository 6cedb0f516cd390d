"""What waits for a disk that refuses: bounded, and when it is full only readings go, with a signed word about it."""

import asyncio
import sqlite3
from pathlib import Path

from nacl.signing import SigningKey

from edge.meters.meter_kind import MeterKind
from edge.meters.points import Rules
from edge.meters.readings import MeterReading
from edge.record_builder import RecordBuilder
from edge.runtime.clock import ManualClock, TimeKeeper
from edge.store.batch import Batch
from edge.store.ledger import Ledger, Signer
from edge.store.ledger_writer import LedgerWriter, Limits
from edge.store.memory_queue import MAX_EVENTS, MAX_QUEUED_RECORDS, MemoryQueue
from edge.store.repository import StoredFrame
from edge.wire.kinds import BufferQuarantine, CounterEvent, CounterEvent1, MeterDeclared, Reading, Record, Start
from edge.wire.records import decode_record, encode_record
from support.waiting import PATIENCE_S, eventually

NOW_MS = 1_780_000_000_000
KIND = MeterKind("sdm630", b"p" * 32, Rules(30_000, 60_000))
START = encode_record(Start(NOW_MS, "S", bytes(16), "1", bytes(32)))


def reading(second: int) -> MeterReading:
    at_ms = NOW_MS + second * 1000
    return MeterReading("METER_001", at_ms // 1000, at_ms, 1_000 + second, 0, serial="A",
                        message=second.to_bytes(16, "big"))  # fmt: skip


async def test_when_memory_is_full_only_readings_go(tmp_path: Path) -> None:
    builder = RecordBuilder(TimeKeeper(ManualClock(NOW_MS), bytes(16)))
    signer = Signer("gw-north", b"b" * 16, SigningKey(bytes(32)))
    ledger = Ledger(tmp_path / "ledger.sqlite", signer, ManualClock(NOW_MS))
    ledger.open()
    frames: list[StoredFrame] = []
    writer = LedgerWriter(ledger, Limits(seal_interval_s=0.05), frames.extend)
    writer.queue.on_dropped = builder.forget
    lock = sqlite3.connect(ledger.path, isolation_level=None)
    lock.execute("BEGIN EXCLUSIVE")
    task = asyncio.create_task(writer.run())
    start = writer.append(Batch(records=[START]))
    await eventually(lambda: bool(writer.trouble), what="trouble")
    waiting = []
    for second in range(MAX_QUEUED_RECORDS):
        waiting.append(writer.append(builder.build(reading(second), KIND)))
        if writer.dropped:
            break
    assert writer.dropped and writer.queued_records <= MAX_QUEUED_RECORDS
    assert [future.cancelled() for future in waiting[: writer.dropped + 1]] == [True] * writer.dropped + [False]
    assert not start.cancelled(), "only who waits for a reading hears that it is gone"
    last = builder.build(reading(MAX_QUEUED_RECORDS), KIND)
    lock.execute("ROLLBACK")
    lock.close()
    await asyncio.wait_for(writer.append(last), PATIENCE_S)
    writer.stop()
    await task
    await writer.store_rest()
    with ledger.reading() as repository:
        assert [(row.meter_index, row.meter_id) for row in repository.meters()] == [(0, "METER_001")]
    await writer.close()
    check(frames, writer.dropped, len(waiting) + 1)


def check(frames: list[StoredFrame], dropped: int, entered: int) -> None:
    records = [decode_record(body) for stored in frames for body in stored.frame.records]

    def of(kind: type) -> list[Record]:
        return [record for record in records if isinstance(record, kind)]

    assert (len(of(Start)), len(of(MeterDeclared))) == (1, 1)
    assert [r.sequence for r in records if isinstance(r, Reading)] == list(range(dropped + 1, entered + 1))
    assert [(event.event, event.first_sequence) for event in records if isinstance(event, CounterEvent)] == [
        ("first", 1)
    ]
    (loss,) = [record for record in records if isinstance(record, BufferQuarantine)]
    assert (loss.file_name, loss.reason) == ("", f"memory was full while the disk refused: {dropped} readings dropped")


def is_repeated(builder: RecordBuilder) -> bool:
    """Whether the first reading would be taken for a repetition."""
    return builder.publications.is_repeated("METER_001", bytes(16), 0, was_kept=True)


async def test_a_dropped_publication_is_news_when_it_comes_again() -> None:
    builder, queue = RecordBuilder(TimeKeeper(ManualClock(NOW_MS), bytes(16))), MemoryQueue()
    queue.on_dropped = builder.forget
    for second in range(400):
        queue.add(builder.build(reading(second), KIND))
    assert is_repeated(builder)
    queue.add(Batch(records=[START] * MAX_QUEUED_RECORDS))
    assert queue.dropped and not is_repeated(builder)
    kept = Batch.joined(entry.batch for entry in queue.take())
    assert kept.messages == [] and kept.known, "what is known of the meter stays"


async def test_even_events_are_bounded() -> None:
    queue = MemoryQueue()
    declared = encode_record(MeterDeclared(1, "METER_001", "", "sdm630", bytes(32), 1))
    queue.add(Batch(records=[declared]))
    for number in range(MAX_QUEUED_RECORDS + 10):
        queue.add(Batch(records=[encode_record(CounterEvent1(1, number, "reset", 5, 0, 5, 0, ""))]))
    assert queue.records <= MAX_QUEUED_RECORDS
    kept = [decode_record(body) for entry in queue.take() for body in entry.batch.records]
    assert isinstance(kept[0], MeterDeclared)
    assert isinstance(kept[-1], CounterEvent1) and kept[-1].slot_s == MAX_QUEUED_RECORDS + 9
    assert MAX_EVENTS <= len(kept) <= MAX_QUEUED_RECORDS


def full_queue(count: int) -> tuple[MemoryQueue, list[asyncio.Future[None]], list[Reading]]:
    """A queue of so many readings, one a batch behind a record that stays."""
    dropped: list[Reading] = []
    queue = MemoryQueue(dropped.append)
    start = queue.add(Batch(records=[START]))
    bodies = [encode_record(Reading(0, n, NOW_MS // 1000, 0, "S", "G", 0, 1, 1)) for n in range(count)]
    return queue, [start, *(queue.add(Batch(records=[body])) for body in bodies)], dropped


async def test_the_queue_holds_exactly_its_bound_and_then_drops_a_twentieth() -> None:
    assert (MAX_QUEUED_RECORDS, MAX_EVENTS) == (20_000, 2_000)
    queue, futures, dropped = full_queue(MAX_QUEUED_RECORDS - 1)
    assert (queue.records, queue.dropped, dropped) == (20_000, 0, [])
    one_more = queue.add(Batch(records=[START]))
    assert (queue.records, queue.dropped) == (19_000, 1_001)
    assert [reading.sequence for reading in dropped] == list(range(1_001))
    assert [f.cancelled() for f in futures] == [False] + [True] * 1_001 + [False] * 18_998
    assert not one_more.cancelled()
    entries = queue.take()
    assert (queue.records, queue.take()) == (0, [])
    whole = Batch.joined(entry.batch for entry in entries)
    assert (len(whole.records), whole.dropped, whole.records[0], whole.records[-1]) == (19_000, 1_001, START, START)
    queue.put_back(entries)
    assert queue.records == 19_000
    assert [entry.batch.records for entry in queue.take()] == [entry.batch.records for entry in entries]


async def test_what_was_dropped_elsewhere_is_told_of_once() -> None:
    queue = MemoryQueue()
    queue.count_dropped(3)
    queue.count_dropped(4)
    (told,) = queue.take()
    assert (told.batch.dropped, told.batch.records, queue.dropped, queue.take()) == (7, [], 7, [])


async def test_events_that_repeat_are_bounded_too() -> None:
    """They stay when memory is full, the newest two thousand."""
    queue = MemoryQueue()
    events = [encode_record(CounterEvent1(0, n, "reset", 1, 0, 0, 0, "")) for n in range(MAX_QUEUED_RECORDS)]
    queue.add(Batch(records=[START, *events]))
    assert queue.records == MAX_EVENTS
    (entry,) = queue.take()
    assert entry.batch.records == [START, *events[1 - MAX_EVENTS :]]
