"""The SQL of ingest: batches as arrays, idempotent, in the caller's transaction."""

from collections.abc import Collection, Iterable, Sequence
from datetime import datetime, timedelta
from functools import lru_cache
from typing import Any

import asyncpg

from hub.clock import at_ms, at_s, to_ms
from hub.ingest.rows import (
    AssignedMeter,
    DeclarationRow,
    FrameKey,
    FrameRow,
    GapRow,
    MeterKey,
    QuarantineRow,
    ReadyFrame,
    ResolvedEvent,
    ResolvedReading,
    columns_of,
)
from hub.ingest.verify import GatewayKey, KeyRing
from hub.postgres.db import Connection

INSERT_FRAMES = """
INSERT INTO frames (gateway_id, boot_id, sequence, header_hash, previous_hash, key_id, header, signature, body,
    record_count, sealed_at, published_at, received_at, verified_at)
SELECT gateway_id, boot_id, sequence, header_hash, previous_hash, key_id, header, signature, body, record_count,
    'epoch'::timestamptz + sealed_ms * interval '1 ms', 'epoch'::timestamptz + published_ms * interval '1 ms',
    'epoch'::timestamptz + received_ms * interval '1 ms', 'epoch'::timestamptz + verified_ms * interval '1 ms'
FROM unnest($1::text[], $2::bytea[], $3::bigint[], $4::bytea[], $5::bytea[], $6::bytea[], $7::bytea[], $8::bytea[],
    $9::bytea[], $10::int[], $11::bigint[], $12::bigint[], $13::bigint[], $14::bigint[])
AS f (gateway_id, boot_id, sequence, header_hash, previous_hash, key_id, header, signature, body, record_count,
    sealed_ms, published_ms, received_ms, verified_ms)
ON CONFLICT DO NOTHING
RETURNING gateway_id, boot_id, sequence
"""

READING_COLUMNS = (
    "reading_id", "meter_id", "gateway_id", "boot_id", "frame_sequence", "record_index", "meter_sequence", "slot_at",
    "read_at", "time_quality", "meter_state", "flags", "import_wh", "export_wh", "active_power_w",
    "doubt",
)  # fmt: skip

INSERT_READINGS = f"""
INSERT INTO readings ({", ".join(READING_COLUMNS)})
SELECT {", ".join(READING_COLUMNS)}
FROM unnest($1::bytea[], $2::text[], $3::text[], $4::bytea[], $5::bigint[], $6::int[], $7::bigint[],
    $8::timestamptz[], $9::timestamptz[], $10::text[], $11::text[], $12::int[], $13::bigint[], $14::bigint[],
    $15::bigint[], $16::text[])
AS r ({", ".join(READING_COLUMNS)})
ON CONFLICT DO NOTHING
RETURNING reading_id
"""  # noqa: S608 - constant column names

EVENT_FIELDS = (
    "event", "last_sequence", "first_sequence", "confirmed_sequence", "import_before_wh", "import_after_wh",
    "export_before_wh", "export_after_wh", "import_width_wh", "export_width_wh", "serial_before", "serial",
)  # fmt: skip
"""The fields of a counter event that are columns of the same name."""
INSERT_EVENT = f"""
INSERT INTO meter_events
    (meter_id, gateway_id, boot_id, frame_sequence, record_index, slot_at, {", ".join(EVENT_FIELDS)})
VALUES ({", ".join(f"${number}" for number in range(1, 7 + len(EVENT_FIELDS)))}) ON CONFLICT DO NOTHING
"""  # noqa: S608 - constant column names

WAITING = """
SELECT f.gateway_id, f.boot_id, f.sequence, f.header, f.signature, f.body, f.received_at, w.meter_index, m.meter_id,
    m.participant_id
FROM waiting_frames w
JOIN meter_declarations d
    ON (d.gateway_id, d.boot_id, d.meter_index) = (w.gateway_id, w.boot_id, w.meter_index)
JOIN meters m ON m.meter_id = d.meter_id AND m.gateway_id = d.gateway_id
JOIN frames f ON (f.gateway_id, f.boot_id, f.sequence) = (w.gateway_id, w.boot_id, w.sequence)
ORDER BY w.gateway_id, w.boot_id, w.sequence, w.meter_index
LIMIT $1
FOR UPDATE OF w SKIP LOCKED
"""


async def load_keys(connection: Connection, gateway_ids: Collection[str]) -> KeyRing:
    """Returns every key of these gateways; a gateway that is not registered is not in the key ring."""
    rows = await connection.fetch(
        """
        SELECT g.gateway_id, k.key_id, k.public_key, k.status,
            (extract(epoch FROM k.valid_until) * 1000)::bigint AS valid_until_ms
        FROM gateways g LEFT JOIN gateway_keys k USING (gateway_id) WHERE g.gateway_id = ANY ($1::text[])
        """,
        list(gateway_ids),
    )
    keys = {
        (row["gateway_id"], row["key_id"]): GatewayKey(row["public_key"], row["status"], row["valid_until_ms"])
        for row in rows
        if row["key_id"] is not None
    }
    return KeyRing(frozenset(row["gateway_id"] for row in rows), keys)


async def insert_frames(connection: Connection, frames: Sequence[FrameRow]) -> set[FrameKey]:
    """Stores frames whose key is free; returns those keys. Sorted, so that two copies of the worker never deadlock."""
    rows = await connection.fetch(INSERT_FRAMES, *columns_of(sorted(frames), 14))
    return {(row["gateway_id"], row["boot_id"], row["sequence"]) for row in rows}


async def header_hashes(connection: Connection, keys: Sequence[FrameKey]) -> dict[FrameKey, bytes]:
    """Returns the header hashes of the stored frames with these keys."""
    rows = await connection.fetch(
        """
        SELECT gateway_id, boot_id, sequence, header_hash FROM frames
        JOIN unnest($1::text[], $2::bytea[], $3::bigint[]) AS k (gateway_id, boot_id, sequence)
            USING (gateway_id, boot_id, sequence)
        """,
        *columns_of(keys, 3),
    )
    return {(row["gateway_id"], row["boot_id"], row["sequence"]): row["header_hash"] for row in rows}


async def insert_declarations(connection: Connection, rows: Sequence[DeclarationRow]) -> dict[MeterKey, str]:
    """Stores declarations; returns the meter id of each index, which is the first one ever declared for it."""
    await connection.execute(
        """
        INSERT INTO meter_declarations
            (gateway_id, boot_id, meter_index, meter_id, serial, profile, profile_hash)
        SELECT * FROM unnest($1::text[], $2::bytea[], $3::int[], $4::text[], $5::text[], $6::text[], $7::bytea[])
        ON CONFLICT DO NOTHING
        """,
        *columns_of(sorted(rows), 7),
    )
    stored = await connection.fetch(
        """
        SELECT gateway_id, boot_id, meter_index, meter_id FROM meter_declarations
        JOIN unnest($1::text[], $2::bytea[], $3::int[]) AS k (gateway_id, boot_id, meter_index)
            USING (gateway_id, boot_id, meter_index)
        """,
        *columns_of([row.key for row in rows], 3),
    )
    return {(row["gateway_id"], row["boot_id"], row["meter_index"]): row["meter_id"] for row in stored}


async def assigned_meters(
    connection: Connection, boots: Collection[tuple[str, bytes]]
) -> dict[MeterKey, AssignedMeter]:
    """Returns the meters that are declared in these boots, (gateway id, boot id), and assigned to that gateway."""
    rows = await connection.fetch(
        """
        SELECT d.gateway_id, d.boot_id, d.meter_index, m.meter_id, m.participant_id
        FROM unnest($1::text[], $2::bytea[]) AS b (gateway_id, boot_id)
        JOIN meter_declarations d USING (gateway_id, boot_id)
        JOIN meters m ON m.meter_id = d.meter_id AND m.gateway_id = d.gateway_id
        """,
        *columns_of(list(boots), 2),
    )
    return {
        (row["gateway_id"], row["boot_id"], row["meter_index"]): AssignedMeter(row["meter_id"], row["participant_id"])
        for row in rows
    }


async def insert_readings(connection: Connection, readings: Sequence[ResolvedReading]) -> list[ResolvedReading]:
    """Stores readings; returns those that were not stored, because their id or their meter's sequence was already.

    New frames nearly always bring new readings, so COPY is tried first. Only when it fails, the slower INSERT tells
    which readings are stored already.
    """
    records = [_reading_columns(reading) for reading in readings]
    try:
        async with connection.transaction():
            await connection.copy_records_to_table("readings", records=records, columns=READING_COLUMNS)
    except asyncpg.UniqueViolationError:
        rows = await connection.fetch(INSERT_READINGS, *columns_of(records, 16))
        stored = {row["reading_id"] for row in rows}
        return [resolved for resolved in readings if resolved.reading.reading_id not in stored]
    return []


@lru_cache(maxsize=4096)
def _slot_at(slot_s: int) -> datetime:
    """Caches the time, as many meters share a slot."""
    return at_s(slot_s)


def _reading_columns(resolved: ResolvedReading) -> tuple[Any, ...]:
    (gateway_id, boot_id, sequence), meter_id, _, reading = resolved
    return (
        reading.reading_id, meter_id, gateway_id, boot_id, sequence, reading.record_index, reading.meter_sequence,
        _slot_at(reading.slot_s), at_ms(reading.read_at_ms), reading.time_quality, reading.meter_state,
        reading.flags, reading.import_wh, reading.export_wh, reading.active_power_w, reading.doubt,
    )  # fmt: skip


async def registers_at(
    connection: Connection, places: Sequence[tuple[str, bytes, int]]
) -> dict[tuple[str, bytes, int], tuple[int, int]]:
    """Returns the stored registers (import, export) in Wh by (meter id, boot id, sequence), where there are any."""
    rows = await connection.fetch(
        """
        SELECT meter_id, boot_id, meter_sequence, import_wh, export_wh FROM readings
        JOIN unnest($1::text[], $2::bytea[], $3::bigint[]) AS k (meter_id, boot_id, meter_sequence)
            USING (meter_id, boot_id, meter_sequence)
        """,
        *columns_of(places, 3),
    )
    return {
        (row["meter_id"], row["boot_id"], row["meter_sequence"]): (row["import_wh"], row["export_wh"]) for row in rows
    }


async def insert_events(connection: Connection, events: Sequence[ResolvedEvent]) -> None:
    """Stores counter events; one that is stored already stays."""
    await connection.executemany(INSERT_EVENT, [_event_columns(event) for event in events])


def _event_columns(resolved: ResolvedEvent) -> tuple[Any, ...]:
    (gateway_id, boot_id, sequence), meter_id, row = resolved
    fields = [getattr(row.event, name) for name in EVENT_FIELDS]
    return meter_id, gateway_id, boot_id, sequence, row.record_index, at_s(row.event.slot_s), *fields


async def add_waiting(connection: Connection, waiting: Iterable[tuple[str, bytes, int, int]]) -> None:
    """Stores which frames have readings of an unknown meter: (gateway id, boot id, sequence, meter index)."""
    await connection.execute(
        """
        INSERT INTO waiting_frames (gateway_id, boot_id, sequence, meter_index)
        SELECT * FROM unnest($1::text[], $2::bytea[], $3::bigint[], $4::int[]) ON CONFLICT DO NOTHING
        """,
        *columns_of(sorted(set(waiting)), 4),
    )


async def lock_ready(connection: Connection, limit: int) -> list[ReadyFrame]:
    """Returns waiting frames whose meter is declared and assigned by now, and locks them."""
    return [
        ReadyFrame(
            (row["gateway_id"], row["boot_id"], row["sequence"]),
            row["header"],
            row["signature"],
            row["body"],
            to_ms(row["received_at"]),
            row["meter_index"],
            AssignedMeter(row["meter_id"], row["participant_id"]),
        )
        for row in await connection.fetch(WAITING, limit)
    ]


async def remove_waiting(connection: Connection, released: Sequence[tuple[str, bytes, int, int]]) -> None:
    """Deletes frames from the waiting ones: (gateway id, boot id, sequence, meter index)."""
    await connection.execute(
        """
        DELETE FROM waiting_frames
        USING unnest($1::text[], $2::bytea[], $3::bigint[], $4::int[]) AS k (gateway_id, boot_id, sequence, meter_index)
        WHERE (waiting_frames.gateway_id, waiting_frames.boot_id, waiting_frames.sequence, waiting_frames.meter_index)
            = (k.gateway_id, k.boot_id, k.sequence, k.meter_index)
        """,
        *columns_of(released, 4),
    )


async def count_waiting(connection: Connection) -> int:
    """Returns how many pairs of frame and meter index wait for a meter."""
    return int(await connection.fetchval("SELECT count(*) FROM waiting_frames"))


async def add_quarantine(connection: Connection, rows: Sequence[QuarantineRow]) -> None:
    """Stores refused messages and records, each once."""
    unique = {(row.payload, row.subject, row.code): row for row in rows}
    await connection.execute(
        """
        INSERT INTO quarantine (subject, gateway_id, code, detail, payload, payload_hash)
        SELECT subject, gateway_id, code, detail, payload, sha256(payload)
        FROM unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::bytea[])
            AS q (subject, gateway_id, code, detail, payload)
        ORDER BY sha256(payload), subject, code
        ON CONFLICT DO NOTHING
        """,
        *columns_of(list(unique.values()), 5),
    )


async def flag_gateways(connection: Connection, gateway_ids: Collection[str]) -> None:
    """Flags gateways whose key may have been copied; the time of the first flag stays."""
    await connection.execute(
        """
        UPDATE gateways SET flagged_at = clock_timestamp()
        WHERE flagged_at IS NULL AND gateway_id = ANY ($1::text[])
        """,
        sorted(gateway_ids),
    )


async def add_gaps(connection: Connection, rows: Sequence[GapRow]) -> None:
    """Stores the gaps that gateways declared."""
    await connection.execute(
        """
        INSERT INTO declared_gaps (gateway_id, boot_id, first_sequence, last_sequence, reason)
        SELECT * FROM unnest($1::text[], $2::bytea[], $3::bigint[], $4::bigint[], $5::text[]) ON CONFLICT DO NOTHING
        """,
        *columns_of(sorted(rows), 5),
    )


async def extend_coverage(
    connection: Connection, holder: str, now: datetime, max_break: timedelta, forget_after: timedelta
) -> None:
    """Extends the coverage of one copy of the worker to ``now``; after a break longer than ``max_break`` begins a new.

    Deletes the coverages that ended longer than ``forget_after`` ago, and what this copy recorded of the future before
    its clock was set back.
    """
    await connection.execute(
        "DELETE FROM ingest_coverage WHERE seen_at < $1::timestamptz - $2::interval OR (holder = $3 AND since_at > $1)",
        now,
        forget_after,
        holder,
    )
    await connection.execute(
        """
        WITH extended AS (
            UPDATE ingest_coverage SET seen_at = greatest(seen_at, $2)
            WHERE holder = $1 AND seen_at >= $2::timestamptz - $3::interval RETURNING holder
        )
        INSERT INTO ingest_coverage (holder, since_at, seen_at) SELECT $1, $2, $2
        WHERE NOT EXISTS (SELECT FROM extended) ON CONFLICT DO NOTHING
        """,
        holder,
        now,
        max_break,
    )


async def covered(connection: Connection, since: datetime, until: datetime) -> timedelta:
    """Returns for how long of [since, until) at least one copy took frames in."""
    length: timedelta = await connection.fetchval(
        """
        SELECT coalesce(sum(upper(s) - lower(s)), interval '0') FROM unnest((
            SELECT range_agg(tstzrange(since_at, seen_at)) FROM ingest_coverage
        ) * tstzmultirange(tstzrange($1, $2))) AS s
        """,
        since,
        max(since, until),
    )
    return length


async def newest_coverage(connection: Connection, max_break: timedelta) -> tuple[datetime, datetime] | None:
    """Returns begin and end of the newest coverage, joined over copies; None when frames were never taken in."""
    row = await connection.fetchrow(
        """
        SELECT min(since_at) AS since_at, max(seen_at) AS seen_at FROM ingest_coverage
        WHERE seen_at >= (SELECT max(seen_at) FROM ingest_coverage) - $1::interval
        """,
        max_break,
    )
    return None if row is None or row["seen_at"] is None else (row["since_at"], row["seen_at"])
