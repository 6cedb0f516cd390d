"""Rows for `trace`: one reading, its interval, the interval's transactions."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from hub.clock import rfc3339_s, to_s
from hub.postgres.db import Connection, Record

READING = """
SELECT r.meter_id, r.gateway_id, r.slot_at, r.read_at, r.stored_at, r.import_wh, r.export_wh,
       f.boot_id, f.sequence, f.sealed_at, f.published_at, f.received_at, f.verified_at
FROM readings r
JOIN frames f ON (f.gateway_id, f.boot_id, f.sequence) = (r.gateway_id, r.boot_id, r.frame_sequence)
WHERE r.reading_id = $1
"""

# a reading on a boundary belongs to the interval that ends there
INTERVAL = """
SELECT i.*, s.line_count, c.price_mills
FROM intervals i
LEFT JOIN settlements s USING (start_at)
LEFT JOIN clearings c USING (start_at)
WHERE i.start_at < $1 AND i.end_at >= $1
ORDER BY i.start_at DESC LIMIT 1
"""

# revision 1 is attested on the chain by the settlement's first step, the later ones by themselves
REVISIONS = """
SELECT a.revision, a.attested_at, a.refusal, r.import_wh, r.export_wh, r.quality, r.rules,
       CASE a.revision WHEN 1 THEN (
           SELECT coalesce(t.finalized_at, s.updated_at) FROM settlement_steps s
           LEFT JOIN blockchain_transactions t USING (signature)
           WHERE s.start_at = a.start_at AND s.kind = 'attest' AND s.state = 'finalized'
       ) ELSE a.final_at END AS final_at,
       a.revision = max(a.revision) OVER () AS billed,
       ARRAY(
           SELECT c.cause FROM correction_causes c
           WHERE (c.start_at, c.revision, c.meter_id) = (a.start_at, a.revision, $2) ORDER BY c.position
       ) AS causes
FROM attestations a
LEFT JOIN interval_readings r ON (r.start_at, r.revision, r.meter_id) = (a.start_at, a.revision, $2)
WHERE a.start_at = $1 ORDER BY a.revision
"""

TRANSACTIONS = """
SELECT kind, signature, slot, submitted_at, finalized_at
FROM blockchain_transactions
WHERE start_at = $1 AND state = 'finalized'
ORDER BY finalized_at, kind, batch
"""

PUBLISHED = """
SELECT at FROM outbox
WHERE topic = 'reconciled' AND payload->>'start_at' = $2 AND at >= $1
ORDER BY sequence LIMIT 1
"""

BETWEEN = "SELECT reading_id FROM readings WHERE reading_id BETWEEN $1 AND $2 ORDER BY reading_id LIMIT 2"


@dataclass(frozen=True)
class ReadingTrace:
    """All rows of one reading; None for what has not happened yet."""

    reading: Record
    interval: Record | None
    transactions: list[Record]
    shown_at: datetime | None
    revisions: Sequence[Record] = ()
    """Every revision of the interval, oldest first, with what it says of the reading's meter."""


async def find_readings(connection: Connection, prefix: str) -> list[bytes]:
    """Returns the ids that begin with these hex digits; at most two."""
    first, last = (bytes.fromhex(prefix.ljust(64, digit)) for digit in "0f")
    return [bytes(row["reading_id"]) for row in await connection.fetch(BETWEEN, first, last)]


async def trace_of(connection: Connection, reading_id: bytes) -> ReadingTrace | None:
    """Returns the rows of one reading, or None when the hub never stored it."""
    reading = await connection.fetchrow(READING, reading_id)
    if reading is None:
        return None
    interval = await connection.fetchrow(INTERVAL, reading["slot_at"])
    if interval is None:
        return ReadingTrace(reading, None, [], None)
    transactions = await connection.fetch(TRANSACTIONS, interval["start_at"])
    reconciled = interval["reconciled_at"]
    shown_at = None
    if reconciled is not None:
        shown_at = await connection.fetchval(PUBLISHED, reconciled, rfc3339_s(to_s(interval["start_at"])))
    revisions = await connection.fetch(REVISIONS, interval["start_at"], reading["meter_id"])
    return ReadingTrace(reading, interval, transactions, shown_at, revisions)
