"""What the API reads of meters, readings, intervals and frames; nothing here writes."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from hub.db import Connection, Record

READING_KEY = (datetime, bytes)
INTERVAL_KEY = (datetime,)

_READING = """r.reading_id, r.meter_id, r.gateway_id, r.meter_sequence, r.slot_at, r.read_at, r.time_quality,
    r.meter_state, r.flags, r.import_wh, r.export_wh, r.active_power_w, r.stored_at"""


async def meter_owner(connection: Connection, meter_id: str) -> UUID | None:
    """Whose meter it is now."""
    owner: UUID | None = await connection.fetchval("SELECT participant_id FROM meters WHERE meter_id = $1", meter_id)
    return owner


async def meters(connection: Connection, participant_id: UUID | None) -> list[Record]:
    """Meters (of one participant, or all) with their newest reading beside them."""
    return await connection.fetch(
        """
        SELECT m.*, r.reading_id, r.meter_sequence, r.slot_at, r.read_at, r.time_quality, r.meter_state, r.flags,
               r.import_wh, r.export_wh, r.active_power_w, r.stored_at
        FROM meters m LEFT JOIN LATERAL (
            SELECT * FROM readings WHERE meter_id = m.meter_id ORDER BY slot_at DESC, reading_id LIMIT 1
        ) r ON true
        WHERE $1::uuid IS NULL OR m.participant_id = $1
        ORDER BY m.meter_id LIMIT 1000
        """,
        participant_id,
    )


async def readings(
    connection: Connection, meter_id: str, start: datetime, end: datetime, after: Sequence[Any] | None, limit: int
) -> list[Record]:
    """Readings of [start, end) after the key (slot, id), oldest first."""
    slot, reading_id = after if after is not None else (start, b"")
    return await connection.fetch(
        f"""
        SELECT {_READING} FROM readings r
        WHERE meter_id = $1 AND slot_at >= $2 AND slot_at < $3 AND slot_at >= $4 AND (slot_at, reading_id) > ($4, $5)
        ORDER BY slot_at, reading_id LIMIT $6
        """,  # noqa: S608 - a constant column list
        meter_id, start, end, slot, reading_id, limit,
    )  # fmt: skip


async def meter_intervals(
    connection: Connection, meter_id: str, start: datetime, end: datetime, limit: int
) -> list[Record]:
    """Intervals that start in [start, end), latest revision, oldest first."""
    return await connection.fetch(
        """
        SELECT DISTINCT ON (r.start_at) r.*, i.end_at
        FROM interval_readings r JOIN intervals i USING (start_at)
        WHERE r.meter_id = $1 AND r.start_at >= $2 AND r.start_at < $3
        ORDER BY r.start_at, r.revision DESC LIMIT $4
        """,
        meter_id, start, end, limit,
    )  # fmt: skip


async def reading(connection: Connection, reading_id: bytes, participant_id: UUID | None) -> Record | None:
    """A reading of any participant's meter (None) or of this one's, with its place in its frame."""
    return await connection.fetchrow(
        f"""
        SELECT {_READING}, r.boot_id, r.frame_sequence, r.record_index, m.participant_id
        FROM readings r JOIN meters m USING (meter_id)
        WHERE r.reading_id = $1 AND ($2::uuid IS NULL OR m.participant_id = $2)
        """,  # noqa: S608 - a constant column list
        reading_id,
        participant_id,
    )


async def frame(connection: Connection, gateway_id: str, boot_id: bytes, sequence: int) -> Record | None:
    """A stored frame with the public key that signed it."""
    return await connection.fetchrow(
        """
        SELECT f.*, k.public_key FROM frames f JOIN gateway_keys k USING (gateway_id, key_id)
        WHERE f.gateway_id = $1 AND f.boot_id = $2 AND f.sequence = $3
        """,
        gateway_id,
        boot_id,
        sequence,
    )


async def interval_of_reading(
    connection: Connection, meter_id: str, reading_id: bytes, slot_at: datetime, start_at: datetime | None
) -> Record | None:
    """The attested interval that the reading is evidence of: that it ends, else begins, else is inside of.

    ``start_at`` asks for one of them. The first revision that rests on the reading comes first.
    """
    return await connection.fetchrow(
        """
        SELECT r.start_at, r.revision, i.end_at, a.merkle_root
        FROM interval_readings r JOIN intervals i USING (start_at) JOIN attestations a USING (start_at, revision)
        WHERE r.meter_id = $1 AND ($4::timestamptz IS NULL OR r.start_at = $4)
          AND r.start_at > $3::timestamptz - interval '1 day' AND r.start_at < $3::timestamptz + interval '1 day'
          AND (r.end_reading_id = $2 OR r.start_reading_id = $2 OR (i.start_at <= $3 AND $3 < i.end_at))
        ORDER BY (r.end_reading_id = $2) DESC NULLS LAST, (r.start_reading_id = $2) DESC NULLS LAST, r.revision
        LIMIT 1
        """,
        meter_id, reading_id, slot_at, start_at,
    )  # fmt: skip


async def interval_leaves(connection: Connection, start_at: datetime, revision: int) -> list[Record]:
    """Everything that the leaves of an attested interval hold, in the order of the tree."""
    return await connection.fetch(
        """
        SELECT meter_id, import_wh, export_wh, quality, blinding, leaf_index, participant_id FROM interval_readings
        WHERE start_at = $1 AND revision = $2 ORDER BY leaf_index
        """,
        start_at,
        revision,
    )


async def settlement_lines(connection: Connection, start_at: datetime) -> list[Record]:
    """The lines of an interval's settlement, in the order of the tree, with the root it opened with."""
    return await connection.fetch(
        """
        SELECT l.*, s.lines_root, s.line_count FROM settlement_lines l JOIN settlements s USING (start_at)
        WHERE l.start_at = $1 ORDER BY line_index
        """,
        start_at,
    )


async def interval_transactions(connection: Connection, start_at: datetime, line_index: int | None) -> list[Record]:
    """The interval's transactions that are on the chain or on their way; of the settle batches the line's only."""
    return await connection.fetch(
        """
        SELECT signature, kind, state, slot FROM blockchain_transactions
        WHERE start_at = $1 AND state NOT IN ('expired', 'failed') AND (kind <> 'settle' OR batch = (
            SELECT batch FROM settlement_steps
            WHERE start_at = $1 AND kind = 'settle' AND first_line <= $2 AND end_line > $2))
        ORDER BY created_at, signature LIMIT 50
        """,
        start_at,
        line_index,
    )
