"""Reads meters, readings and intervals for the API."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from hub.metering.doubts import CLOCK, UNCONFIRMED
from hub.metering.rules import DECIDED
from hub.metering.runs import MISREAD
from hub.postgres.db import Connection, Record

READING_KEY = (datetime, bytes)
INTERVAL_KEY = (datetime,)

_READING = """r.reading_id, r.meter_id, r.gateway_id, r.meter_sequence, r.slot_at, r.read_at, r.time_quality,
    r.meter_state, r.flags, r.import_wh, r.export_wh, r.active_power_w, r.doubt, r.stored_at"""


async def meter_owner(connection: Connection, meter_id: str) -> UUID | None:
    """Returns the participant who owns the meter now; None when there is no such meter."""
    owner: UUID | None = await connection.fetchval("SELECT participant_id FROM meters WHERE meter_id = $1", meter_id)
    return owner


async def meters(connection: Connection, participant_id: UUID | None) -> list[Record]:
    """Returns the meters of one participant, or of all for None, each with its newest reading; at most 1,000.

    A reading in doubt is not the newest.
    """
    return await connection.fetch(
        """
        SELECT m.*, r.reading_id, r.meter_sequence, r.slot_at, r.read_at, r.time_quality, r.meter_state, r.flags,
               r.import_wh, r.export_wh, r.active_power_w, r.doubt, r.stored_at
        FROM meters m LEFT JOIN LATERAL (
            SELECT * FROM good_readings WHERE meter_id = m.meter_id
            ORDER BY slot_at DESC, reading_id LIMIT 1
        ) r ON true
        WHERE $1::uuid IS NULL OR m.participant_id = $1
        ORDER BY m.meter_id LIMIT 1000
        """,
        participant_id,
    )


async def readings(
    connection: Connection, meter_id: str, start: datetime, end: datetime, after: Sequence[Any] | None, limit: int
) -> list[Record]:
    """Returns readings whose slot is in [start, end) after the key (slot, reading id), oldest first."""
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
    """Returns the intervals that start in [start, end), each in its latest revision, oldest first."""
    return await connection.fetch(
        """
        SELECT DISTINCT ON (r.start_at) r.*, i.end_at
        FROM interval_readings r JOIN intervals i USING (start_at)
        WHERE r.meter_id = $1 AND r.start_at >= $2 AND r.start_at < $3
        ORDER BY r.start_at, r.revision DESC LIMIT $4
        """,
        meter_id, start, end, limit,
    )  # fmt: skip


async def interval_revisions(
    connection: Connection, meter_id: str, start: datetime, end: datetime, limit: int
) -> list[Record]:
    """Returns every revision of the first ``limit`` intervals that start in [start, end), the newest revision first."""
    return await connection.fetch(
        """
        SELECT r.*, i.end_at, a.attested_at
        FROM interval_readings r JOIN intervals i USING (start_at) JOIN attestations a USING (start_at, revision)
        WHERE r.meter_id = $1 AND r.start_at IN (
            SELECT start_at FROM interval_readings WHERE meter_id = $1 AND revision = 1 AND start_at >= $2
            AND start_at < $3 ORDER BY start_at LIMIT $4
        )
        ORDER BY r.start_at, r.revision DESC
        """,
        meter_id, start, end, limit,
    )  # fmt: skip


async def doubted_readings(connection: Connection, meter_id: str, start: datetime, end: datetime) -> list[Record]:
    """Returns the readings of [start, end], both included, that gateway or hub doubted; at most 2,000."""
    return await connection.fetch(
        """
        SELECT reading_id, slot_at, meter_state, doubt, import_wh, export_wh FROM readings
        WHERE meter_id = $1 AND slot_at >= $2 AND slot_at <= $3 AND (meter_state <> 'G' OR doubt <> '')
        ORDER BY slot_at, reading_id LIMIT 2000
        """,
        meter_id, start, end,
    )  # fmt: skip


async def events(connection: Connection, meter_id: str, start: datetime, end: datetime) -> list[Record]:
    """Returns the counter events of [start, end], both included; at most 2,000."""
    return await connection.fetch(
        """
        SELECT * FROM meter_events WHERE meter_id = $1 AND slot_at >= $2 AND slot_at <= $3
        ORDER BY slot_at, stored_at LIMIT 2000
        """,
        meter_id, start, end,
    )  # fmt: skip


async def decisions(connection: Connection, meter_id: str, start: datetime, end: datetime) -> list[Record]:
    """Returns the newest 2,000 decisions that touch [start, end), the newest first."""
    return await connection.fetch(
        """
        SELECT * FROM energy_decisions WHERE meter_id = $1 AND end_at > $2 AND start_at < $3
        ORDER BY decision_id DESC LIMIT 2000
        """,
        meter_id, start, end,
    )  # fmt: skip


async def flagged_meters(connection: Connection, rules: Sequence[str], since: datetime) -> list[Record]:
    """Returns by meter and rule the first and the newest flagged interval since a time, and how many; at most 1,000.

    Each interval counts in its newest revision, unless somebody has decided about it. ``doubted``: in one of them there
    are readings that somebody could accept.
    """
    return await connection.fetch(
        """
        SELECT n.meter_id, m.gateway_id, m.building, rule, min(n.start_at) AS first_start_at,
               max(n.start_at) AS last_start_at, count(*) AS intervals, bool_or(n.rules && $4) AS doubted
        FROM (
            SELECT DISTINCT ON (start_at, meter_id) start_at, meter_id, rules FROM interval_readings
            WHERE start_at >= $2 ORDER BY start_at, meter_id, revision DESC
        ) AS n CROSS JOIN LATERAL unnest(n.rules) AS rule JOIN meters m USING (meter_id)
        WHERE rule = ANY($1) AND NOT n.rules && $3 GROUP BY n.meter_id, m.gateway_id, m.building, rule
        ORDER BY last_start_at DESC, n.meter_id, rule LIMIT 1000
        """,
        list(rules),
        since,
        list(DECIDED),
        [CLOCK, MISREAD, UNCONFIRMED],
    )


async def reading(connection: Connection, reading_id: bytes, participant_id: UUID | None) -> Record | None:
    """Returns a reading with its position in its frame; of this participant's meters, or of all for None."""
    return await connection.fetchrow(
        f"""
        SELECT {_READING}, r.boot_id, r.frame_sequence, r.record_index, m.participant_id
        FROM readings r JOIN meters m USING (meter_id)
        WHERE r.reading_id = $1 AND ($2::uuid IS NULL OR m.participant_id = $2)
        """,  # noqa: S608 - a constant column list
        reading_id,
        participant_id,
    )
