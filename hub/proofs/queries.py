"""Reads the parts of a proof: the signed frame, the interval's leaves, the settlement's lines and transactions."""

from datetime import datetime

from hub.postgres.db import Connection, Record


async def frame(connection: Connection, gateway_id: str, boot_id: bytes, sequence: int) -> Record | None:
    """Returns a stored frame with the public key that signed it; None when it is not stored."""
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
    connection: Connection,
    meter_id: str,
    reading_id: bytes,
    slot_at: datetime,
    start_at: datetime | None,
    revision: int | None,
) -> Record | None:
    """Returns the attested interval that the reading ends; otherwise one that it begins, or one that it is inside of.

    ``start_at`` restricts it to one interval, ``revision`` to intervals that have this revision. Without it, the first
    of the interval's revisions that was computed from the reading is returned. A reading outside of an interval proves
    nothing about it, also where a boundary that was not read rests on it.
    """
    return await connection.fetchrow(
        """
        SELECT r.start_at, r.revision, i.end_at, a.merkle_root
        FROM interval_readings r JOIN intervals i USING (start_at) JOIN attestations a USING (start_at, revision)
        WHERE r.meter_id = $1 AND ($4::timestamptz IS NULL OR r.start_at = $4)
          AND ($5::bigint IS NULL OR r.revision = $5)
          AND r.start_at > $3::timestamptz - interval '1 day' AND r.start_at < $3::timestamptz + interval '1 day'
          AND i.start_at <= $3 AND $3 <= i.end_at
          AND ($3 < i.end_at OR r.end_reading_id = $2 OR $4::timestamptz IS NOT NULL)
        ORDER BY (r.end_reading_id = $2) DESC NULLS LAST, (r.start_reading_id = $2) DESC NULLS LAST, r.revision
        LIMIT 1
        """,
        meter_id, reading_id, slot_at, start_at, revision,
    )  # fmt: skip


async def revisions(connection: Connection, start_at: datetime, meter_id: str) -> list[Record]:
    """Returns what every revision of an interval says of a meter, oldest first, and when it was final on the chain.

    Revision 1 is attested by the settlement's first step, the later ones by themselves.
    """
    return await connection.fetch(
        """
        SELECT a.revision, a.attested_at, a.merkle_root, a.refusal, r.import_wh, r.export_wh, r.quality, r.rules,
               CASE a.revision WHEN 1 THEN s.final_at ELSE a.final_at END AS final_at,
               a.revision = max(a.revision) OVER () AS billed
        FROM attestations a
        JOIN interval_readings r ON (r.start_at, r.revision, r.meter_id) = (a.start_at, a.revision, $2)
        LEFT JOIN LATERAL (
            SELECT coalesce(t.finalized_at, s.updated_at) AS final_at FROM settlement_steps s
            LEFT JOIN blockchain_transactions t USING (signature)
            WHERE s.start_at = a.start_at AND s.kind = 'attest' AND s.state = 'finalized'
        ) s ON true
        WHERE a.start_at = $1 ORDER BY a.revision
        """,
        start_at,
        meter_id,
    )


async def interval_leaves(connection: Connection, start_at: datetime, revision: int) -> list[Record]:
    """Returns the content of an attested interval's leaves, in the order of the tree."""
    return await connection.fetch(
        """
        SELECT meter_id, import_wh, export_wh, quality, blinding, leaf_index, participant_id FROM interval_readings
        WHERE start_at = $1 AND revision = $2 ORDER BY leaf_index
        """,
        start_at,
        revision,
    )


async def settlement_lines(connection: Connection, start_at: datetime) -> list[Record]:
    """Returns the lines of an interval's settlement, in the order of the tree, with the committed root."""
    return await connection.fetch(
        """
        SELECT l.*, s.lines_root, s.line_count FROM settlement_lines l JOIN settlements s USING (start_at)
        WHERE l.start_at = $1 ORDER BY line_index
        """,
        start_at,
    )


async def interval_transactions(connection: Connection, start_at: datetime, line_index: int | None) -> list[Record]:
    """Returns the interval's transactions that are or may come on the chain; of the settle batches the line's only."""
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
