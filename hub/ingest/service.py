"""Stores batches of messages: verify, one transaction for the whole batch, and the answer which to acknowledge.

A refused message goes to quarantine in the same transaction and spoils nothing for its neighbours; whatever was
stored before is a duplicate and changes nothing. Receipts and acknowledgements follow the commit.
"""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import structlog

from edge.wire.frames import Frame
from hub.clock import Clock, at_ms
from hub.http.types import utc_text
from hub.ingest import conflicts, repository
from hub.ingest.contents import readings_of
from hub.ingest.rows import AssignedMeter, FrameKey, FrameRow, MeterKey, PlacedReading, QuarantineRow, ReadingRow
from hub.ingest.verify import Accepted, KeyRing, Refused, gateway_of, verify
from hub.live import outbox
from hub.observability import metrics
from hub.postgres.db import Connection, Pool

VERIFY_SLICE = 32
"""Frames that are verified before the event loop gets its turn."""
RELEASE_LIMIT = 4096
FLAGGING_CODES = {"equivocation", "register_conflict"}
"""Nobody honest contradicts themselves under their own signature: the key or the database was copied."""

_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Incoming:
    """A message as it came from the stream."""

    subject: str
    payload: bytes
    published_at_ms: int
    received_at_ms: int


@dataclass
class Outcome:
    """What became of a batch, after its commit."""

    refused: set[int] = field(default_factory=set)
    """Positions of the messages that are in quarantine."""
    stored: dict[str, list[FrameRow]] = field(default_factory=dict)
    """Per gateway the frames that are stored, now or before: what receipts speak of."""
    new_frames: int = 0
    new_readings: int = 0
    new_declarations: bool = False
    """Readings that waited may be free now."""


@dataclass
class _Batch:
    """One batch on its way through the transaction."""

    incoming: Sequence[Incoming]
    accepted: dict[int, tuple[FrameRow, Accepted]] = field(default_factory=dict)
    quarantine: list[QuarantineRow] = field(default_factory=list)
    outcome: Outcome = field(default_factory=Outcome)

    def refuse(self, position: int, code: str, detail: str) -> None:
        message = self.incoming[position]
        self.outcome.refused.add(position)
        self.quarantine.append(
            QuarantineRow(message.subject, gateway_of(message.subject), code, detail, message.payload)
        )


async def store_batch(pool: Pool, clock: Clock, incoming: Sequence[Incoming]) -> Outcome:
    """Verifies and stores messages, all of them or none.

    Raises:
        asyncpg.PostgresError, OSError: nothing was stored; try the same batch again.
    """
    batch = _Batch(incoming)
    async with pool.acquire() as connection:
        lookup = await repository.load_keys(connection, {gateway_of(message.subject) for message in incoming})
        await _verify_all(batch, lookup, clock)
        async with connection.transaction():
            fresh = await _store_frames(connection, batch)
            await _store_contents(connection, batch, fresh)
            await _quarantine(connection, batch.quarantine)
    _count(batch, fresh)
    return batch.outcome


async def release_waiting(pool: Pool) -> int:
    """Stores readings that waited, once their meter is declared and assigned; returns how many."""
    async with pool.acquire() as connection, connection.transaction():
        ready = await repository.lock_ready(connection, RELEASE_LIMIT)
        frames = {one.key: Frame(one.header, one.signature, one.body) for one in ready}
        meters: dict[FrameKey, dict[int, AssignedMeter]] = {}
        for one in ready:
            meters.setdefault(one.key, {})[one.meter_index] = one.meter
        placed = [
            PlacedReading(key, *meters[key][reading.meter_index], reading)
            for key, frame in frames.items()
            for reading in readings_of(frame, meters[key])
        ]
        refused = await _store_readings(
            connection, placed, lambda one: frames[one.frame].records[one.reading.record_index]
        )
        await _quarantine(connection, refused)
        await repository.remove_waiting(connection, [(*one.key, one.meter_index) for one in ready])
        metrics.WAITING.set(await repository.count_waiting(connection))
    metrics.RELEASED.inc(len(placed) - len(refused))
    return len(placed)


async def _verify_all(batch: _Batch, lookup: KeyRing, clock: Clock) -> None:
    for position, message in enumerate(batch.incoming):
        if position % VERIFY_SLICE == VERIFY_SLICE - 1:
            await asyncio.sleep(0)
        verdict = verify(message.payload, message.subject, lookup)
        if isinstance(verdict, Refused):
            batch.refuse(position, verdict.code, verdict.detail)
        else:
            batch.accepted[position] = (_frame_row(verdict.frame, message, clock.now_ms()), verdict)


def _frame_row(frame: Frame, message: Incoming, verified_at_ms: int) -> FrameRow:
    header = frame.header
    return FrameRow(
        header.gateway_id,
        header.boot_id,
        header.sequence,
        frame.header_hash,
        header.previous_hash,
        header.key_id,
        frame.header_bytes,
        frame.signature,
        frame.body,
        header.record_count,
        header.sealed_at_ms,
        message.published_at_ms,
        message.received_at_ms,
        verified_at_ms,
    )


async def _store_frames(connection: Connection, batch: _Batch) -> dict[FrameKey, Accepted]:
    """Stores frames whose key is free; the same again is a duplicate, another under the same key is equivocation."""
    first: dict[FrameKey, FrameRow] = {}
    for row, _ in batch.accepted.values():
        first.setdefault(row.key, row)
    inserted = await repository.insert_frames(connection, list(first.values())) if first else set()
    taken = [key for key in first if key not in inserted]
    holders = {key: first[key].header_hash for key in inserted}
    if taken:
        holders |= await repository.header_hashes(connection, taken)
    fresh: dict[FrameKey, Accepted] = {}
    for position, (row, verdict) in batch.accepted.items():
        if holders[row.key] != row.header_hash:
            batch.refuse(position, "equivocation", _two_frames(row, holders[row.key]))
            continue
        if row.key in inserted:
            fresh.setdefault(row.key, verdict)
        batch.outcome.stored.setdefault(row.gateway_id, []).append(row)
    batch.outcome.new_frames = len(fresh)
    return fresh


def _two_frames(row: FrameRow, holder: bytes) -> str:
    return (
        f"{row.gateway_id} signed two frames {row.boot_id.hex()}/{row.sequence}: {holder.hex()} is stored, "
        f"{row.header_hash.hex()} is not. Its key or its database was copied: enrol a new key"
    )


async def _store_contents(connection: Connection, batch: _Batch, fresh: dict[FrameKey, Accepted]) -> None:
    if not fresh:
        return
    declarations = [row for verdict in fresh.values() for row in verdict.contents.declarations]
    if declarations:
        batch.outcome.new_declarations = True
        meanings = await repository.insert_declarations(connection, declarations)
        batch.quarantine += conflicts.reused_indexes(fresh, meanings)
    gaps = [row for verdict in fresh.values() for row in verdict.contents.gaps]
    if gaps:
        await repository.add_gaps(connection, gaps)
    meters = await repository.assigned_meters(connection, {key[:2] for key in fresh})
    batch.quarantine += conflicts.unassigned_meters(fresh, meters)
    placed, waiting = place(fresh, meters)
    if waiting:
        await repository.add_waiting(connection, waiting)
    refused = await _store_readings(
        connection, placed, lambda one: fresh[one.frame].frame.records[one.reading.record_index]
    )
    batch.quarantine += refused
    batch.outcome.new_readings = len(placed) - len(refused)


def place(
    fresh: dict[FrameKey, Accepted], meters: dict[MeterKey, AssignedMeter]
) -> tuple[list[PlacedReading], set[tuple[str, bytes, int, int]]]:
    """Finds each reading's meter; the second list names (gateway, boot, sequence, meter index) that must wait."""
    placed: list[PlacedReading] = []
    waiting: set[tuple[str, bytes, int, int]] = set()
    for key, verdict in fresh.items():
        gateway_id, boot_id, sequence = key
        for reading in verdict.contents.readings:
            meter = meters.get((gateway_id, boot_id, reading.meter_index))
            if meter is None:
                waiting.add((gateway_id, boot_id, sequence, reading.meter_index))
            else:
                placed.append(PlacedReading(key, meter.meter_id, meter.participant_id, reading))
    return placed, waiting


async def _store_readings(
    connection: Connection, placed: Sequence[PlacedReading], record_of: Callable[[PlacedReading], bytes]
) -> list[QuarantineRow]:
    """Stores readings and announces the newest stored of each meter; returns those that contradict what is stored."""
    if not placed:
        return []
    left_over = await repository.insert_readings(connection, placed)
    refused = {one.reading.reading_id for one in left_over}
    await _announce(connection, [one for one in placed if one.reading.reading_id not in refused])
    if not left_over:
        return []
    moments = [conflicts.moment(one) for one in left_over]
    return conflicts.contradictions(left_over, await repository.registers_at(connection, moments), record_of)


async def _announce(connection: Connection, placed: Sequence[PlacedReading]) -> None:
    """One event per meter and batch: live views want the newest, and a backlog must not drown them."""
    newest: dict[str, PlacedReading] = {}
    for one in placed:
        known = newest.get(one.meter_id)
        if known is None or known.reading.read_at_ms < one.reading.read_at_ms:
            newest[one.meter_id] = one
    events = [(_event(one.meter_id, one.reading), one.participant_id) for one in newest.values()]
    await outbox.append_many(connection, "reading", events)


def _event(meter_id: str, reading: ReadingRow) -> dict[str, object]:
    return {
        "reading_id": reading.reading_id.hex(),
        "meter_id": meter_id,
        "slot_at": utc_text(at_ms(reading.slot_s * 1000)),
        "active_power_w": reading.active_power_w,
        "import_wh": reading.import_wh,
        "export_wh": reading.export_wh,
    }


async def _quarantine(connection: Connection, rows: Sequence[QuarantineRow]) -> None:
    if not rows:
        return
    await repository.add_quarantine(connection, rows)
    flagged = {row.gateway_id for row in rows if row.code in FLAGGING_CODES}
    if flagged:
        await repository.flag_gateways(connection, flagged)


def _count(batch: _Batch, fresh: dict[FrameKey, Accepted]) -> None:
    outcome = batch.outcome
    duplicates = len(batch.incoming) - len(outcome.refused) - len(fresh)
    for name, number in (("stored", len(fresh)), ("duplicate", duplicates), ("refused", len(outcome.refused))):
        metrics.FRAMES.labels(name).inc(number)
    metrics.READINGS.inc(outcome.new_readings)
    for row in batch.quarantine:
        metrics.QUARANTINED.labels(row.code).inc()
        _log.warning("quarantined", gateway_id=row.gateway_id, subject=row.subject, code=row.code, detail=row.detail)
