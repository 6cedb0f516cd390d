"""Rows for the demo's closing report."""

from collections.abc import Sequence
from datetime import datetime

from hub.postgres.db import Connection, Record

NEWEST = "(SELECT max(revision) FROM attestations a WHERE a.start_at = i.start_at)"
"""The revision in force of an interval `i`."""


async def settled_with_trades(connection: Connection, since: datetime) -> list[datetime]:
    """Returns the starts of reconciled intervals with trades that began at ``since`` or later."""
    rows = await connection.fetch(
        """
        SELECT start_at FROM intervals i
        WHERE state = 'reconciled' AND start_at >= $1 AND EXISTS (SELECT FROM trades t WHERE t.start_at = i.start_at)
        ORDER BY start_at
        """,
        since,
    )
    return [row["start_at"] for row in rows]


async def totals(connection: Connection) -> Record:
    """Counts meters, frames, readings and refused messages."""
    row = await connection.fetchrow(
        """
        SELECT (SELECT count(*) FROM meters) AS meters, (SELECT count(*) FROM frames) AS frames,
               (SELECT count(*) FROM readings) AS readings, (SELECT count(*) FROM quarantine) AS rejected
        """
    )
    assert row is not None  # noqa: S101 - an aggregate always has its row
    return row


INTERVALS = f"""
SELECT i.start_at, i.end_at, i.state, i.reconciled_at, c.price_mills, s.line_count, s.sold_wh, s.bought_wh,
       s.debit_micros, s.credit_micros, s.minted_wh,
       {NEWEST} AS revision,
       (SELECT sum(import_wh)::bigint FROM interval_readings r WHERE r.start_at = i.start_at AND revision = {NEWEST})
           AS import_wh,
       (SELECT sum(export_wh)::bigint FROM interval_readings r WHERE r.start_at = i.start_at AND revision = {NEWEST})
           AS export_wh,
       (SELECT coalesce(sum(wh), 0)::bigint FROM trades t WHERE t.start_at = i.start_at) AS traded_wh,
       (SELECT coalesce(-sum(utility_wh) FILTER (WHERE utility_wh < 0), 0)::bigint
        FROM utility_lines u WHERE u.start_at = i.start_at AND revision = {NEWEST}) AS utility_bought_wh,
       (SELECT coalesce(sum(utility_wh) FILTER (WHERE utility_wh > 0), 0)::bigint
        FROM utility_lines u WHERE u.start_at = i.start_at AND revision = {NEWEST}) AS utility_sold_wh,
       (SELECT count(*) FROM blockchain_transactions b
        WHERE b.start_at = i.start_at AND b.state = 'finalized') AS transactions,
       (SELECT max(finalized_at) FROM blockchain_transactions b WHERE b.start_at = i.start_at) AS finalized_at
FROM intervals i LEFT JOIN clearings c USING (start_at) LEFT JOIN settlements s USING (start_at)
WHERE i.start_at = ANY($1) ORDER BY i.start_at
"""  # noqa: S608 - a constant of this file


async def intervals(connection: Connection, starts: Sequence[datetime]) -> list[Record]:
    """Returns the figures of these intervals, in order."""
    return list(await connection.fetch(INTERVALS, starts))


async def lines(connection: Connection, start_at: datetime) -> list[Record]:
    """Returns each participant's settled line of an interval, and the utility's part in its newest revision."""
    return list(
        await connection.fetch(
            """
            SELECT u.participant_id, u.utility_wh, u.amount_micros AS utility_micros,
                   coalesce(l.sold_wh, 0) AS sold_wh, coalesce(l.bought_wh, 0) AS bought_wh,
                   coalesce(l.credit_micros, 0) AS credit_micros, coalesce(l.debit_micros, 0) AS debit_micros
            FROM utility_lines u LEFT JOIN settlement_lines l USING (start_at, participant_id)
            WHERE u.start_at = $1 AND u.revision = (SELECT max(revision) FROM attestations a WHERE a.start_at = $1)
            ORDER BY u.participant_id
            """,
            start_at,
        )
    )


async def meters(connection: Connection) -> list[Record]:
    """Returns every meter with participant, rated power and the time from which it is expected."""
    return list(await connection.fetch("SELECT meter_id, participant_id, rated_power_w, expected_from FROM meters"))


async def energies(connection: Connection, starts: Sequence[datetime]) -> list[Record]:
    """Returns every meter's energy in these intervals, in the first revision and in the one in force."""
    return list(
        await connection.fetch(
            f"""
            SELECT r.start_at, r.meter_id, r.revision, r.import_wh, r.export_wh, r.quality
            FROM interval_readings r JOIN intervals i USING (start_at)
            WHERE r.start_at = ANY($1) AND r.revision IN (1, {NEWEST}) ORDER BY r.revision
            """,  # noqa: S608 - a constant of this file
            starts,
        )
    )


async def were_synchronised(connection: Connection, starts: Sequence[datetime]) -> bool:
    """Whether the gateways' clocks were synchronised from the first of these intervals on."""
    found: bool = await connection.fetchval(
        "SELECT coalesce(bool_and(time_quality = 'S'), true) FROM readings WHERE slot_at >= $1",
        min(starts, default=None),
    )
    return found


async def attested_between(connection: Connection, since: datetime, until: datetime) -> list[datetime]:
    """Returns the starts of the intervals that began at ``since`` or later and ended by ``until``."""
    rows = await connection.fetch(
        "SELECT start_at FROM intervals WHERE start_at >= $1 AND end_at <= $2 ORDER BY start_at", since, until
    )
    return [row["start_at"] for row in rows]


async def unfinished(connection: Connection, starts: Sequence[datetime]) -> int:
    """Counts intervals that are not reconciled, are to be corrected, or have a revision that is not on the chain."""
    count: int = await connection.fetchval(
        """
        SELECT count(*) FROM intervals i WHERE start_at = ANY($1) AND (
            state <> 'reconciled' OR EXISTS (SELECT FROM interval_marks m WHERE m.start_at = i.start_at)
            OR EXISTS (SELECT FROM attestations a WHERE a.start_at = i.start_at AND a.revision > 1
                       AND a.final_at IS NULL AND a.refusal IS NULL))
        """,
        starts,
    )
    return count
