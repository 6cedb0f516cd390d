"""The SQL of corrections: what came late, which intervals it marks, and what an interval's newest revision says."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID

from hub.clock import at_ms, at_s, to_ms, to_s
from hub.metering.intervals import Span
from hub.metering.readings import Energy, IntervalReading, Quality
from hub.postgres.db import Connection
from hub.units import Wh

# Late is what was stored after an interval was attested that it changes, or so little before that the oracle may not
# have seen it: its transaction was still open. A good reading changes everything since the good one before it, so that
# the one that ends a gap is late for the intervals of the gap, and in time for its own. A reading of a boundary belongs
# to two intervals. An interval is at most an hour long. OFFSET 0: looked up once for a reading, not for each interval
_LATE = """
SELECT came.meter_id, min(came.slot_at) AS first_at, max(came.slot_at) AS last_at FROM (
    SELECT r.meter_id, r.slot_at, r.stored_at, r.doubt = '' AND r.meter_state = 'G' AS is_good
    FROM readings r WHERE r.stored_at > $1 AND r.stored_at <= $2
    UNION ALL
    SELECT e.meter_id, unnest(ARRAY[e.slot_at, coalesce((
        SELECT min(r.slot_at) FROM readings r WHERE r.meter_id = e.meter_id AND r.meter_sequence > e.last_sequence
        AND r.meter_sequence <= e.confirmed_sequence AND r.slot_at BETWEEN e.slot_at - interval '8 days' AND e.slot_at
    ), e.slot_at)]), e.stored_at, true
    FROM meter_events e WHERE e.stored_at > $1 AND e.stored_at <= $2
) AS came
CROSS JOIN LATERAL (
    SELECT coalesce(CASE WHEN came.is_good THEN (
        SELECT slot_at FROM good_readings WHERE meter_id = came.meter_id AND slot_at < came.slot_at
        ORDER BY slot_at DESC LIMIT 1
    ) ELSE (
        SELECT slot_at FROM readings WHERE meter_id = came.meter_id AND slot_at < came.slot_at
        ORDER BY slot_at DESC LIMIT 1
    ) END, came.slot_at - interval '1 microsecond') AS good_at
    OFFSET 0
) AS before
WHERE EXISTS (
    SELECT FROM intervals i
    WHERE i.start_at BETWEEN before.good_at - interval '1 hour' AND came.slot_at AND i.end_at > before.good_at
    AND i.attested_at <= came.stored_at + $3::interval
)
GROUP BY came.meter_id
"""
# What came late changes the energy between the readings around it. Only intervals that this meter is part of
_MARK = """
INSERT INTO interval_marks AS m (start_at, meter_id, first_marked_at, last_marked_at)
SELECT r.start_at, r.meter_id, $5, $5
FROM unnest($1::text[], $2::timestamptz[], $3::timestamptz[]) AS late (meter_id, first_at, last_at)
CROSS JOIN LATERAL (
    SELECT coalesce((
        SELECT slot_at FROM good_readings WHERE meter_id = late.meter_id AND slot_at < late.first_at
        ORDER BY slot_at DESC LIMIT 1
    ), late.first_at) AS since_at, coalesce((
        SELECT slot_at FROM good_readings WHERE meter_id = late.meter_id AND slot_at > late.last_at
        ORDER BY slot_at LIMIT 1
    ), late.last_at) AS until_at
) AS around
JOIN interval_readings r ON r.meter_id = late.meter_id AND r.revision = 1
JOIN intervals i ON i.start_at = r.start_at AND i.end_at >= greatest(around.since_at, $4)
WHERE r.start_at BETWEEN around.since_at - interval '1 hour' AND around.until_at
ORDER BY r.start_at, r.meter_id
ON CONFLICT (start_at, meter_id) DO UPDATE SET last_marked_at = excluded.last_marked_at
"""

# What came for a meter between the good readings around the interval, since the revision before was computed.
# An event reaches back to the first reading that it confirms. An entry has the hub's clock, like an attestation
_RECORD = """
INSERT INTO correction_causes (
    start_at, revision, meter_id, position, cause, boot_id, first_sequence, last_sequence, first_at, last_at, readings,
    detail
)
WITH around AS (
    SELECT m.meter_id, p.computed_at - $5::interval AS since_at, p.attested_at, coalesce((
        SELECT max(slot_at) FROM good_readings r
        WHERE r.meter_id = m.meter_id AND slot_at <= $1 AND slot_at >= $1::timestamptz - interval '41 days'
    ), $1) AS begin_at, coalesce((
        SELECT min(slot_at) FROM good_readings r
        WHERE r.meter_id = m.meter_id AND slot_at >= $2 AND slot_at <= $2::timestamptz + interval '41 days'
    ), $2) AS end_at
    FROM unnest($4::text[]) AS m (meter_id)
    JOIN attestations p ON p.start_at = $1 AND p.revision = $3 - 1
), causes AS (
    SELECT a.meter_id, 'late_readings' AS cause, r.boot_id, min(r.meter_sequence) AS first_sequence,
           max(r.meter_sequence) AS last_sequence, min(r.slot_at) AS first_at, max(r.slot_at) AS last_at,
           count(*)::int AS readings, '' AS detail
    FROM around a JOIN readings r ON r.meter_id = a.meter_id AND r.slot_at BETWEEN a.begin_at AND a.end_at
    WHERE r.stored_at > a.since_at GROUP BY a.meter_id, r.boot_id
    UNION ALL
    SELECT a.meter_id, 'counter_event', e.boot_id, e.first_sequence, e.confirmed_sequence, e.slot_at, e.slot_at, 0,
           e.event
    FROM around a JOIN meter_events e ON e.meter_id = a.meter_id AND e.slot_at >= a.begin_at
    WHERE e.stored_at > a.since_at AND coalesce((
        SELECT min(r.slot_at) FROM readings r WHERE r.meter_id = e.meter_id AND r.boot_id = e.boot_id
        AND r.meter_sequence > e.last_sequence AND r.meter_sequence <= e.confirmed_sequence
        AND r.slot_at BETWEEN e.slot_at - interval '8 days' AND e.slot_at
    ), e.slot_at) <= a.end_at
    UNION ALL
    SELECT a.meter_id, 'entered_registers', NULL, NULL, NULL, e.changed_at, e.changed_at, 0, e.reason
    FROM around a JOIN entered_registers e ON e.meter_id = a.meter_id AND e.changed_at BETWEEN a.begin_at AND a.end_at
    WHERE e.entered_at >= a.attested_at
    UNION ALL
    SELECT a.meter_id, 'energy_decision', NULL, NULL, NULL, d.start_at, d.end_at, 0, d.kind || ': ' || d.reason
    FROM around a JOIN energy_decisions d
      ON d.meter_id = a.meter_id AND d.end_at >= a.begin_at AND d.start_at <= a.end_at
    WHERE d.decided_at >= a.attested_at
)
SELECT $1, $3, meter_id, row_number() OVER (PARTITION BY meter_id ORDER BY cause, first_at, boot_id) - 1, cause,
       boot_id, first_sequence, last_sequence, first_at, last_at, readings, detail
FROM causes
RETURNING meter_id
"""


@dataclass(frozen=True, slots=True)
class EnteredRegisters:
    """Registers of a meter just before and just after a change, in Wh, and why a person enters them."""

    import_before_wh: int
    import_after_wh: int
    export_before_wh: int
    export_after_wh: int
    reason: str


@dataclass(frozen=True, slots=True)
class MarkedInterval:
    """An interval with marks: its span in s since 1970, and its newest revision."""

    span: Span
    revision: int


async def looked_until_ms(connection: Connection) -> int | None:
    """Returns up to when late readings were looked for, in ms since 1970 by PostgreSQL's clock; None if never."""
    until_at = await connection.fetchval("SELECT until_at FROM late_readings_seen")
    return None if until_at is None else to_ms(until_at)


async def save_looked_until(connection: Connection, until_ms: int) -> None:
    """Stores up to when late readings were looked for."""
    await connection.execute(
        """
        INSERT INTO late_readings_seen (until_at) VALUES ($1)
        ON CONFLICT (single) DO UPDATE SET until_at = excluded.until_at
        """,
        at_ms(until_ms),
    )


async def mark_late(connection: Connection, since_ms: int, until_ms: int, unseen_ms: int, oldest_ms: int) -> int:
    """Marks the intervals that readings and events which were stored in (since, until] may change; returns how many.

    Args:
        connection: in the caller's transaction.
        since_ms: by PostgreSQL's clock, in ms since 1970, as ``until_ms``.
        until_ms: not later than now.
        unseen_ms: what was stored so long before an interval was attested may be late too.
        oldest_ms: intervals that ended before it are not marked, in ms since 1970.
    """
    unseen = timedelta(milliseconds=unseen_ms)
    late = await connection.fetch(_LATE, at_ms(since_ms), at_ms(until_ms), unseen)
    if not late:
        return 0
    columns = ([row[name] for row in late] for name in ("meter_id", "first_at", "last_at"))
    status = await connection.execute(_MARK, *columns, at_ms(oldest_ms), at_ms(until_ms))
    return int(status.rpartition(" ")[2])


async def mark_around(
    connection: Connection, meter_id: str, first_ms: int, last_ms: int, now_ms: int, oldest_ms: int
) -> int:
    """Marks a meter's intervals between the readings around a time; returns how many. Times in ms since 1970."""
    time = [at_ms(first_ms)], [at_ms(last_ms)]
    status = await connection.execute(_MARK, [meter_id], *time, at_ms(oldest_ms), at_ms(now_ms))
    return int(status.rpartition(" ")[2])


async def add_entered_registers(
    connection: Connection, meter_id: str, changed_ms: int, registers: EnteredRegisters, user_id: UUID, now_ms: int
) -> int:
    """Stores registers that a person read off a meter before and after a change; returns the entry's number."""
    entry_id: int = await connection.fetchval(
        """
        INSERT INTO entered_registers
            (meter_id, changed_at, import_before_wh, import_after_wh, export_before_wh, export_after_wh, reason,
             entered_by, entered_at)
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9) RETURNING entry_id
        """,
        meter_id, at_ms(changed_ms), registers.import_before_wh, registers.import_after_wh,
        registers.export_before_wh, registers.export_after_wh, registers.reason, user_id, at_ms(now_ms),
    )  # fmt: skip
    return entry_id


async def next_marked(
    connection: Connection, poll_period_s: int, quiet_since_ms: int, waited_since_ms: int
) -> MarkedInterval | None:
    """Returns the oldest cleared interval whose marks have not changed since a time, or are older than another one.

    Times in ms since 1970.
    """
    row = await connection.fetchrow(
        """
        SELECT m.start_at, i.end_at,
               (SELECT max(revision) FROM attestations a WHERE a.start_at = m.start_at) AS revision
        FROM interval_marks m JOIN intervals i USING (start_at) WHERE i.state <> 'attested'
        GROUP BY m.start_at, i.end_at HAVING max(m.last_marked_at) <= $1 OR min(m.first_marked_at) <= $2
        ORDER BY m.start_at LIMIT 1
        """,
        at_ms(quiet_since_ms),
        at_ms(waited_since_ms),
    )
    if row is None:
        return None
    start_s = to_s(row["start_at"])
    span = Span(start_s, to_s(row["end_at"]) - start_s, poll_period_s)
    return MarkedInterval(span, row["revision"])


async def lock_marks(connection: Connection, start_s: int) -> tuple[str, ...]:
    """Returns the meters that are marked in an interval; who marks one of them again waits for the transaction's end.

    So a mark that comes while the interval is computed is not deleted with those that it was computed for.
    """
    rows = await connection.fetch(
        "SELECT meter_id FROM interval_marks WHERE start_at = $1 ORDER BY meter_id FOR UPDATE", at_s(start_s)
    )
    return tuple(row["meter_id"] for row in rows)


async def remove_marks(connection: Connection, start_s: int, meter_ids: Sequence[str]) -> None:
    """Deletes the marks of these meters in an interval."""
    await connection.execute(
        "DELETE FROM interval_marks WHERE start_at = $1 AND meter_id = ANY($2)", at_s(start_s), list(meter_ids)
    )


async def record_causes(
    connection: Connection, span: Span, revision: int, meter_ids: Sequence[str], unseen_ms: int
) -> None:
    """Stores why these meters' energy differs from the revision before, in the caller's transaction.

    They stay as they are: what a bill once gave as a reason is not found anew when somebody asks.

    Args:
        connection: sees the attestations of both revisions.
        span: of the interval.
        revision: the new one.
        meter_ids: whose energy or quality changed.
        unseen_ms: what was stored so long before the revision before may be new too: it counts where nothing else does.
    """
    missing = list(meter_ids)
    for before_ms in (0, unseen_ms):
        before = timedelta(milliseconds=before_ms)
        rows = await connection.fetch(_RECORD, at_s(span.start_s), at_s(span.end_s), revision, missing, before)
        missing = sorted(set(missing) - {row["meter_id"] for row in rows})


async def readings_of_revision(
    connection: Connection, start_s: int, revision: int
) -> tuple[dict[str, IntervalReading], dict[str, UUID]]:
    """Returns by meter id what a revision says, and who owned the meter in the interval."""
    rows = await connection.fetch(
        "SELECT * FROM interval_readings WHERE start_at = $1 AND revision = $2", at_s(start_s), revision
    )
    readings = {
        r["meter_id"]: IntervalReading(
            r["meter_id"], Energy(Wh(r["import_wh"]), Wh(r["export_wh"])), Quality(r["quality"]), tuple(r["rules"]),
            r["start_reading_id"], r["end_reading_id"],
        )
        for r in rows
    }  # fmt: skip
    return readings, {r["meter_id"]: r["participant_id"] for r in rows}
