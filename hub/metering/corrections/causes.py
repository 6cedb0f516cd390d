"""Writes down why a meter's energy was corrected: the readings, counter events and entries that had come since.

They are stored with the revision, in its transaction: what a bill once gave as a reason stays what it gave.
"""

from collections.abc import Sequence
from datetime import timedelta

from hub.clock import at_s
from hub.metering.intervals import Span
from hub.postgres.db import Connection

# What came for a meter between the good readings around the interval, since the revision before was computed.
# An event reaches back to the first reading that it confirms. An entry has the hub's clock, like an attestation
_RECORD = """
INSERT INTO correction_causes (
    start_at, revision, meter_id, position, cause, boot_id, first_sequence, last_sequence, first_at, last_at, readings,
    detail
)
WITH around AS (
    SELECT m.meter_id, p.computed_at - $5::interval AS since_at, p.attested_at, coalesce((
        SELECT max(slot_at) FROM readings r
        WHERE r.meter_id = m.meter_id AND slot_at <= $1 AND slot_at >= $1::timestamptz - interval '41 days'
        AND doubt = '' AND meter_state = 'G'
    ), $1) AS begin_at, coalesce((
        SELECT min(slot_at) FROM readings r
        WHERE r.meter_id = m.meter_id AND slot_at >= $2 AND slot_at <= $2::timestamptz + interval '41 days'
        AND doubt = '' AND meter_state = 'G'
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
)
SELECT $1, $3, meter_id, row_number() OVER (PARTITION BY meter_id ORDER BY cause, first_at, boot_id) - 1, cause,
       boot_id, first_sequence, last_sequence, first_at, last_at, readings, detail
FROM causes
RETURNING meter_id
"""


async def record_causes(
    connection: Connection, span: Span, revision: int, meter_ids: Sequence[str], unseen_ms: int
) -> None:
    """Stores why these meters' energy differs from the revision before, in the caller's transaction.

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
