"""Reads the site's rates and totals."""

from datetime import datetime

from hub.http.rows import Row
from hub.postgres.db import Connection, Record


async def rates_at(connection: Connection, at: datetime) -> Record | None:
    """Returns the tariffs and charges in force at a time, in mills per kWh; None before the first rates."""
    return await connection.fetchrow(
        """
        SELECT export_tariff_mills AS export_mills, import_tariff_mills AS import_mills, wheeling_mills, platform_mills,
               loss_mills, effective_from
        FROM rates_in_force($1)
        """,
        at,
    )


async def totals(connection: Connection) -> Row:
    """Counts and sums everything, energy (Wh) in each interval's latest revision, without feeder meters."""
    row = await connection.fetchrow(
        """
        SELECT (SELECT count(*) FROM meters WHERE status = 'active') AS meters,
               (SELECT count(*) FROM readings) AS readings,
               (SELECT count(*) FROM frames) AS frames,
               (SELECT count(*) FROM quarantine) AS quarantined,
               (SELECT count(*) FROM intervals WHERE state IN ('closed', 'reconciled')) AS intervals_closed,
               (SELECT coalesce(sum(wh), 0)::bigint FROM trades) AS sold_wh,
               (SELECT coalesce(sum(utility_wh), 0)::bigint FROM (
                   SELECT DISTINCT ON (start_at, participant_id) utility_wh FROM utility_lines
                   ORDER BY start_at, participant_id, revision DESC) u) AS utility_wh,
               (SELECT count(*) FROM blockchain_transactions WHERE state = 'finalized') AS transactions,
               (SELECT max(reconciled_at) FROM intervals) AS last_reconciled_at,
               e.import_wh, e.export_wh
        FROM (
            SELECT coalesce(sum(r.import_wh), 0)::bigint AS import_wh,
                   coalesce(sum(r.export_wh), 0)::bigint AS export_wh
            FROM interval_readings r JOIN (
                SELECT start_at, max(revision) AS revision FROM attestations GROUP BY start_at
            ) a USING (start_at, revision) JOIN meters m USING (meter_id) WHERE m.kind <> 'feeder'
        ) e
        """
    )
    assert row is not None  # noqa: S101 - an aggregate always gives one row
    return row


async def ping(connection: Connection) -> None:
    """Reads one row, which fails when the database or its schema is missing."""
    await connection.fetchval("SELECT 1 FROM outbox LIMIT 1")
