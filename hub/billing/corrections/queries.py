"""Reads what revisions after the first changed of a participant's energy and money."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from hub.http.rows import Row
from hub.postgres.db import Connection, Record

CORRECTION_KEY = (datetime, datetime, int)
"""Of a correction: when it was made, the start of its interval, its revision."""

# One row per revision after the first that was made in [$2, $3) and changed the energy of a meter of $1, or its money.
# A revision holds every meter of its interval, and its utility lines are written in one transaction with it. None is
# made more than 40 days after its interval
_CORRECTIONS = """
    WITH measured AS (
        SELECT n.start_at, n.revision, a.attested_at AS corrected_at,
               sum(o.import_wh)::bigint AS old_import_wh, sum(o.export_wh)::bigint AS old_export_wh,
               sum(n.import_wh)::bigint AS new_import_wh, sum(n.export_wh)::bigint AS new_export_wh,
               max(array_position(ARRAY['valid', 'estimated', 'suspect', 'missing'], o.quality)) AS old_worst,
               max(array_position(ARRAY['valid', 'estimated', 'suspect', 'missing'], n.quality)) AS new_worst,
               bool_or((o.import_wh, o.export_wh) <> (n.import_wh, n.export_wh)) AS moved
        FROM attestations a
        JOIN interval_readings n ON (n.start_at, n.revision) = (a.start_at, a.revision)
        JOIN interval_readings o ON (o.start_at, o.revision, o.meter_id) = (n.start_at, n.revision - 1, n.meter_id)
        JOIN meters m ON m.meter_id = n.meter_id
        WHERE a.revision > 1 AND a.attested_at >= $2 AND a.attested_at < $3 AND n.participant_id = $1
          AND n.start_at >= $2::timestamptz - interval '41 days' AND n.start_at < $3 AND m.kind <> 'feeder'
        GROUP BY n.start_at, n.revision, a.attested_at
    ), corrections AS (
        SELECT d.*, i.end_at, p.utility_wh AS old_utility_wh, p.amount_micros AS old_utility_micros,
               u.utility_wh AS new_utility_wh, u.amount_micros AS new_utility_micros,
               (ARRAY['valid', 'estimated', 'suspect', 'missing'])[d.old_worst] AS old_quality,
               (ARRAY['valid', 'estimated', 'suspect', 'missing'])[d.new_worst] AS new_quality,
               d.new_import_wh - d.old_import_wh AS import_change_wh,
               d.new_export_wh - d.old_export_wh AS export_change_wh,
               u.utility_wh - p.utility_wh AS utility_change_wh, u.amount_micros - p.amount_micros AS change_micros
        FROM measured d JOIN intervals i USING (start_at)
        JOIN utility_lines p ON (p.start_at, p.revision, p.participant_id) = (d.start_at, d.revision - 1, $1)
        JOIN utility_lines u ON (u.start_at, u.revision, u.participant_id) = (d.start_at, d.revision, $1)
        WHERE d.moved OR u.amount_micros <> p.amount_micros
    )
"""


async def corrections(
    connection: Connection, participant_id: UUID, start: datetime, end: datetime, after: Sequence[object], limit: int
) -> list[Record]:
    """Returns the corrections made in [start, end) in order of ``CORRECTION_KEY``, from after a key on.

    ``after`` is empty for the first page.
    """
    return await connection.fetch(
        f"""
        {_CORRECTIONS} SELECT *, start_at < $2 AS carried FROM corrections
        WHERE $4::timestamptz IS NULL OR (corrected_at, start_at, revision) > ($4, $5::timestamptz, $6::bigint)
        ORDER BY corrected_at, start_at, revision LIMIT $7
        """,  # noqa: S608 - a constant fragment
        participant_id, start, end, *(after or (None, None, None)), limit,
    )  # fmt: skip


async def carried(connection: Connection, participant_id: UUID, start: datetime, end: datetime) -> Row:
    """Returns the sums of the corrections made in [start, end) of intervals that began before it."""
    row = await connection.fetchrow(
        f"""
        {_CORRECTIONS}
        SELECT count(*)::int AS lines, coalesce(sum(import_change_wh), 0)::bigint AS import_change_wh,
               coalesce(sum(export_change_wh), 0)::bigint AS export_change_wh,
               coalesce(sum(utility_change_wh), 0)::bigint AS utility_change_wh,
               coalesce(sum(change_micros), 0)::bigint AS change_micros
        FROM corrections WHERE start_at < $2
        """,  # noqa: S608 - a constant fragment
        participant_id,
        start,
        end,
    )
    assert row is not None  # noqa: S101 - an aggregate always gives one row
    return row


async def notices(
    connection: Connection,
    participant_id: UUID,
    start: datetime,
    end: datetime,
    timezone: str,
    sun_offset_s: int,
    limit: int,
) -> list[Record]:
    """Returns a row for each of the site's days in which corrections of [start, end) were made, newest first.

    An interval that was corrected several times in a day counts once: from what it was before to what it is now. The
    site's clock is ``sun_offset_s`` ahead. ``causes`` are the kinds of what had come, each once, sorted.
    """
    return await connection.fetch(
        f"""
        {_CORRECTIONS}, dated AS (
            SELECT *, ((corrected_at + make_interval(secs => $5)) AT TIME ZONE $4)::date AS day FROM corrections
        ), changed AS (
            SELECT day, start_at, end_at, min(corrected_at) AS first_at, max(corrected_at) AS last_at,
                   (array_agg(old_import_wh ORDER BY revision))[1] AS old_import_wh,
                   (array_agg(old_export_wh ORDER BY revision))[1] AS old_export_wh,
                   (array_agg(new_import_wh ORDER BY revision DESC))[1] AS new_import_wh,
                   (array_agg(new_export_wh ORDER BY revision DESC))[1] AS new_export_wh,
                   sum(change_micros)::bigint AS change_micros
            FROM dated GROUP BY day, start_at, end_at
        ), why AS (
            SELECT d.day, array_agg(DISTINCT c.cause ORDER BY c.cause) AS causes
            FROM dated d JOIN correction_causes c USING (start_at, revision)
            JOIN interval_readings r USING (start_at, revision, meter_id)
            WHERE r.participant_id = $1 GROUP BY d.day
        )
        SELECT n.day, min(n.first_at) AS first_corrected_at, max(n.last_at) AS last_corrected_at,
               count(*)::int AS intervals, min(n.start_at) AS start_at, max(n.end_at) AS end_at,
               sum(n.old_import_wh)::bigint AS old_import_wh, sum(n.new_import_wh)::bigint AS new_import_wh,
               sum(n.old_export_wh)::bigint AS old_export_wh, sum(n.new_export_wh)::bigint AS new_export_wh,
               sum(n.change_micros)::bigint AS change_micros, coalesce(w.causes, '{{}}') AS causes
        FROM changed n LEFT JOIN why w USING (day)
        WHERE (n.old_import_wh, n.old_export_wh) <> (n.new_import_wh, n.new_export_wh) OR n.change_micros <> 0
        GROUP BY n.day, w.causes ORDER BY n.day DESC LIMIT $6
        """,  # noqa: S608 - a constant fragment
        participant_id, start, end, timezone, sun_offset_s, limit,
    )  # fmt: skip


async def meters(connection: Connection, participant_id: UUID, rows: Sequence[Row]) -> list[Record]:
    """Returns the participant's meters whose energy or quality these corrections changed, with both revisions."""
    return await connection.fetch(
        """
        SELECT n.start_at, n.revision, n.meter_id, o.import_wh AS old_import_wh, o.export_wh AS old_export_wh,
               o.quality AS old_quality, o.rules AS old_rules, o.end_reading_id AS old_end_reading_id,
               o.start_reading_id AS old_start_reading_id, n.import_wh AS new_import_wh, n.export_wh AS new_export_wh,
               n.quality AS new_quality, n.rules AS new_rules, n.start_reading_id AS new_start_reading_id,
               n.end_reading_id AS new_end_reading_id, (
                   SELECT g.reading_id FROM readings g JOIN intervals i ON i.start_at = n.start_at
                   WHERE g.reading_id IN (n.end_reading_id, n.start_reading_id)
                   AND g.slot_at BETWEEN i.start_at AND i.end_at ORDER BY g.slot_at DESC LIMIT 1
               ) AS proof_reading_id
        FROM unnest($2::timestamptz[], $3::int[]) AS w (start_at, revision)
        JOIN interval_readings n USING (start_at, revision)
        JOIN interval_readings o ON (o.start_at, o.revision, o.meter_id) = (n.start_at, n.revision - 1, n.meter_id)
        JOIN meters m ON m.meter_id = n.meter_id
        WHERE n.participant_id = $1 AND m.kind <> 'feeder'
          AND (o.import_wh, o.export_wh, o.quality) <> (n.import_wh, n.export_wh, n.quality)
        ORDER BY n.start_at, n.revision, n.meter_id
        """,
        participant_id,
        [row["start_at"] for row in rows],
        [row["revision"] for row in rows],
    )


async def causes(connection: Connection, participant_id: UUID, rows: Sequence[Row]) -> list[Record]:
    """Returns what had come for the participant's meters since the revisions before these corrections."""
    return await connection.fetch(
        """
        SELECT c.* FROM unnest($2::timestamptz[], $3::int[]) AS w (start_at, revision)
        JOIN correction_causes c USING (start_at, revision)
        JOIN interval_readings r USING (start_at, revision, meter_id)
        WHERE r.participant_id = $1 ORDER BY c.start_at, c.revision, c.meter_id, c.position
        """,
        participant_id,
        [row["start_at"] for row in rows],
        [row["revision"] for row in rows],
    )
