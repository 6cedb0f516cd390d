"""The SQL of taking intervals back: which they are, what was sent of them, the record, and the deletion."""

from collections.abc import Sequence
from typing import Any

from hub.clock import at_ms, at_s, rfc3339_s, to_s
from hub.postgres.db import Connection

_TABLES = (
    "deferred_intervals", "market_halts", "interval_marks", "settlement_steps", "settlement_lines", "settlements",
    "utility_lines", "released_trades", "trades", "orders", "clearings", "interval_readings", "attestations",
    "intervals",
)  # fmt: skip
"""Every table with rows of an interval that follow from its attestation, those that refer to others first."""


async def lock_intervals(connection: Connection, since_s: int, limit: int) -> list[int]:
    """Returns the starts, in s since 1970, of at most ``limit`` intervals from a time on, oldest first.

    Nobody adds rows that refer to them until the caller's transaction ends.
    """
    rows = await connection.fetch(
        "SELECT start_at FROM intervals WHERE start_at >= $1 ORDER BY start_at LIMIT $2 FOR UPDATE",
        at_s(since_s),
        limit,
    )
    return [to_s(row["start_at"]) for row in rows]


async def sent(connection: Connection, starts: Sequence[int]) -> list[int]:
    """Returns those of the intervals of which a transaction was ever signed, or a step is beyond planned."""
    rows = await connection.fetch(
        """
        SELECT start_at FROM blockchain_transactions WHERE start_at = ANY($1)
        UNION SELECT start_at FROM settlement_steps WHERE start_at = ANY($1) AND state <> 'planned'
        ORDER BY start_at
        """,
        [at_s(start_s) for start_s in starts],
    )
    return [to_s(row["start_at"]) for row in rows]


async def record(
    connection: Connection, since_s: int, starts: Sequence[int], taken_by: str, reason: str, now_ms: int
) -> int:
    """Stores that these intervals are taken back, with what was attested of each; returns the record's number."""
    rows = await connection.fetch(
        """
        SELECT i.start_at, i.state, a.revision, a.merkle_root, a.meters_valid, a.meters_estimated, a.import_wh,
               a.export_wh, a.attested_at, (SELECT count(*) FROM trades t WHERE t.start_at = i.start_at) AS trades
        FROM intervals i JOIN attestations a USING (start_at) WHERE i.start_at = ANY($1) ORDER BY start_at, revision
        """,
        [at_s(start_s) for start_s in starts],
    )
    number: int = await connection.fetchval(
        """
        INSERT INTO taken_back (from_at, taken_by, reason, taken_at, attestations) VALUES ($1, $2, $3, $4, $5)
        RETURNING take_back_id
        """,
        at_s(since_s), taken_by, reason, at_ms(now_ms), [_attestation(dict(row)) for row in rows],
    )  # fmt: skip
    return number


def _attestation(row: dict[str, Any]) -> dict[str, Any]:
    times = {name: rfc3339_s(to_s(row[name])) for name in ("start_at", "attested_at")}
    return row | times | {"merkle_root": row["merkle_root"].hex()}


async def delete(connection: Connection, starts: Sequence[int]) -> None:
    """Deletes the intervals with all that follows from their attestation; signed transactions and readings stay."""
    for table in _TABLES:
        await connection.execute(
            f"DELETE FROM {table} WHERE start_at = ANY($1)",  # noqa: S608 - constant names
            [at_s(start_s) for start_s in starts],
        )
