"""Verifies batches of messages and stores each batch in one transaction; acknowledgements and receipts follow it.

A refused message goes to quarantine in the same transaction, and the rest of the batch is stored all the same. A frame
that is stored already is a duplicate and changes nothing.
"""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import structlog

from edge.wire.frames import Frame
from edge.wire.kinds import GOOD
from hub.clock import Clock, at_ms
from hub.http.types import utc_text
from hub.ingest import conflicts, repository
from hub.ingest.contents import contents_of
from hub.ingest.rows import (
    AssignedMeter,
    FrameKey,
    FrameRow,
    MeterKey,
    QuarantineRow,
    ReadingRow,
    ResolvedEvent,
    ResolvedReading,
)
from hub.ingest.verify import Accepted, KeyRing, Refused, gateway_of, verify
from hub.live import outbox
from hub.observability import metrics
from hub.postgres.db import Connection, Pool

VERIFY_SLICE = 32
"""Frames that are verified before other tasks get their turn."""
RELEASE_LIMIT = 4096
FLAGGING_CODES = {"equivocation", "register_conflict"}
"""A gateway that contradicts itself under its own signature: its key or its database was copied."""

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Incoming:
    """A message of the stream with its times in ms since 1970."""

    subject: str
    payload: bytes
    published_at_ms: int
    received_at_ms: int


@dataclass
class Outcome:
    """The result of a stored batch."""

    refused: set[int] = field(default_factory=set)
    """Positions of the messages that are in quarantine."""
    stored: dict[str, list[FrameRow]] = field(default_factory=dict)
    """By gateway the frames that are stored, now or before; they get receipts."""
    new_frames: int = 0
    new_readings: int = 0
    new_declarations: bool = False
    """Whether readings that waited for a declaration may be stored now."""


@dataclass
class _Batch:
    """One batch while it is verified and stored."""

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
        asyncpg.PostgresError: nothing was stored; try the same batch again.
        OSError: the same.
    """
    batch = _Batch(incoming)
    async with pool.acquire() as connection:
        key_ring = await repository.load_keys(connection, {gateway_of(message.subject) for message in incoming})
        await _verify_all(batch, key_ring, clock)
        async with connection.transaction():
            new_frames = await _store_frames(connection, batch)
            await _store_contents(connection, batch, new_frames)
            await _quarantine(connection, batch.quarantine)
    _count(batch, new_frames)
    return batch.outcome


async def release_waiting(pool: Pool) -> int:
    """Stores waiting readings whose meter is declared and assigned by now; returns how many there were."""
    async with pool.acquire() as connection, connection.transaction():
        ready_frames = await repository.lock_ready(connection, RELEASE_LIMIT)
        frames = {ready.key: Frame(ready.header, ready.signature, ready.body) for ready in ready_frames}
        meters: dict[FrameKey, dict[int, AssignedMeter]] = {}
        for ready in ready_frames:
            meters.setdefault(ready.key, {})[ready.meter_index] = ready.meter
        contents = {ready.key: contents_of(frames[ready.key], ready.received_at_ms) for ready in ready_frames}
        readings = [
            ResolvedReading(key, *meters[key][reading.meter_index], reading)
            for key, found in contents.items()
            for reading in found.readings
            if reading.meter_index in meters[key]
        ]
        events = [
            ResolvedEvent(key, meters[key][row.event.meter_index].meter_id, row)
            for key, found in contents.items()
            for row in found.events
            if row.event.meter_index in meters[key]
        ]
        await repository.insert_events(connection, events)
        refused = await _store_readings(
            connection, readings, lambda resolved: frames[resolved.frame].records[resolved.reading.record_index]
        )
        await _quarantine(connection, refused)
        await repository.remove_waiting(connection, [(*ready.key, ready.meter_index) for ready in ready_frames])
        metrics.WAITING.set(await repository.count_waiting(connection))
    metrics.RELEASED.inc(len(readings) - len(refused))
    return len(readings)


async def _verify_all(batch: _Batch, key_ring: KeyRing, clock: Clock) -> None:
    for position, message in enumerate(batch.incoming):
        if position % VERIFY_SLICE == VERIFY_SLICE - 1:
            await asyncio.sleep(0)
        verdict = verify(message.payload, message.subject, key_ring, message.received_at_ms)
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
    """Stores frames whose key is free and returns them.

    Under a key that is not free, the same frame is a duplicate and another one is an equivocation.
    """
    first_rows: dict[FrameKey, FrameRow] = {}
    for row, _ in batch.accepted.values():
        first_rows.setdefault(row.key, row)
    inserted = await repository.insert_frames(connection, list(first_rows.values())) if first_rows else set()
    taken = [key for key in first_rows if key not in inserted]
    stored_hashes = {key: first_rows[key].header_hash for key in inserted}
    if taken:
        stored_hashes |= await repository.header_hashes(connection, taken)
    new_frames: dict[FrameKey, Accepted] = {}
    for position, (row, verdict) in batch.accepted.items():
        if stored_hashes[row.key] != row.header_hash:
            batch.refuse(position, "equivocation", _equivocation_detail(row, stored_hashes[row.key]))
            continue
        if row.key in inserted:
            new_frames.setdefault(row.key, verdict)
        batch.outcome.stored.setdefault(row.gateway_id, []).append(row)
    batch.outcome.new_frames = len(new_frames)
    return new_frames


def _equivocation_detail(row: FrameRow, stored_hash: bytes) -> str:
    return (
        f"{row.gateway_id} signed two frames {row.boot_id.hex()}/{row.sequence}: {stored_hash.hex()} is stored, "
        f"{row.header_hash.hex()} is not. Its key or its database was copied: enrol a new key"
    )


async def _store_contents(connection: Connection, batch: _Batch, new_frames: dict[FrameKey, Accepted]) -> None:
    if not new_frames:
        return
    declarations = [row for verdict in new_frames.values() for row in verdict.contents.declarations]
    if declarations:
        batch.outcome.new_declarations = True
        meter_ids = await repository.insert_declarations(connection, declarations)
        batch.quarantine += conflicts.reused_indexes(new_frames, meter_ids)
    gaps = [row for verdict in new_frames.values() for row in verdict.contents.gaps]
    if gaps:
        await repository.add_gaps(connection, gaps)
    meters = await repository.assigned_meters(connection, {key[:2] for key in new_frames})
    batch.quarantine += conflicts.unassigned_meters(new_frames, meters)
    readings, events, waiting = resolve_meters(new_frames, meters)
    if events:
        await repository.insert_events(connection, events)
    if waiting:
        await repository.add_waiting(connection, waiting)
    refused = await _store_readings(
        connection, readings, lambda resolved: new_frames[resolved.frame].frame.records[resolved.reading.record_index]
    )
    batch.quarantine += refused
    batch.outcome.new_readings = len(readings) - len(refused)


def resolve_meters(
    new_frames: dict[FrameKey, Accepted], meters: dict[MeterKey, AssignedMeter]
) -> tuple[list[ResolvedReading], list[ResolvedEvent], set[tuple[str, bytes, int, int]]]:
    """Returns readings and events whose meter is known; (gateway id, boot id, sequence, meter index) of the others."""
    resolved: list[ResolvedReading] = []
    events: list[ResolvedEvent] = []
    waiting: set[tuple[str, bytes, int, int]] = set()
    for key, verdict in new_frames.items():
        gateway_id, boot_id, sequence = key
        for reading in verdict.contents.readings:
            meter = meters.get((gateway_id, boot_id, reading.meter_index))
            if meter is None:
                waiting.add((gateway_id, boot_id, sequence, reading.meter_index))
            else:
                resolved.append(ResolvedReading(key, meter.meter_id, meter.participant_id, reading))
        for row in verdict.contents.events:
            meter = meters.get((gateway_id, boot_id, row.event.meter_index))
            if meter is None:
                waiting.add((gateway_id, boot_id, sequence, row.event.meter_index))
            else:
                events.append(ResolvedEvent(key, meter.meter_id, row))
    return resolved, events, waiting


async def _store_readings(
    connection: Connection, readings: Sequence[ResolvedReading], record_of: Callable[[ResolvedReading], bytes]
) -> list[QuarantineRow]:
    """Stores readings and announces the newest stored of each meter; returns those that contradict what is stored."""
    if not readings:
        return []
    not_stored = await repository.insert_readings(connection, readings)
    not_stored_ids = {resolved.reading.reading_id for resolved in not_stored}
    await _announce(connection, [row for row in readings if row.reading.reading_id not in not_stored_ids])
    if not not_stored:
        return []
    places = [conflicts.place_of(resolved) for resolved in not_stored]
    return conflicts.register_conflicts(not_stored, await repository.registers_at(connection, places), record_of)


async def _announce(connection: Connection, readings: Sequence[ResolvedReading]) -> None:
    """Appends one event per meter: live views need the newest reading only, and a backlog must not flood them."""
    newest_by_meter: dict[str, ResolvedReading] = {}
    for resolved in readings:
        if resolved.reading.doubt or resolved.reading.meter_state != GOOD:
            continue
        newest = newest_by_meter.get(resolved.meter_id)
        if newest is None or newest.reading.read_at_ms < resolved.reading.read_at_ms:
            newest_by_meter[resolved.meter_id] = resolved
    events = [(_event(row.meter_id, row.reading), row.participant_id) for row in newest_by_meter.values()]
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


def _count(batch: _Batch, new_frames: dict[FrameKey, Accepted]) -> None:
    outcome = batch.outcome
    duplicates = len(batch.incoming) - len(outcome.refused) - len(new_frames)
    for label, frames in (("stored", len(new_frames)), ("duplicate", duplicates), ("refused", len(outcome.refused))):
        metrics.FRAMES.labels(label).inc(frames)
    metrics.READINGS.inc(outcome.new_readings)
    for row in batch.quarantine:
        metrics.QUARANTINED.labels(row.code).inc()
        log.warning("quarantined", gateway_id=row.gateway_id, subject=row.subject, code=row.code, detail=row.detail)
