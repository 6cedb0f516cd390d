"""Reads a participant's energy and money per interval for the API."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from hub.http.rows import Row
from hub.postgres.db import Connection, Record

INTERVAL_KEY = (datetime,)

# One row per interval in which the participant has a meter: energy of the newest revision that was made before $4 (the
# first always counts), the trades, that revision's utility line (or what it will be), and as a baseline the same energy
# at the utility's tariffs only.
_INTERVALS = """
    WITH metered AS (
        SELECT r.start_at, r.revision, sum(r.import_wh)::bigint AS import_wh, sum(r.export_wh)::bigint AS export_wh,
               max(array_position(ARRAY['valid', 'estimated', 'suspect', 'missing'], r.quality)) AS worst
        FROM interval_readings r JOIN meters n USING (meter_id)
        WHERE r.participant_id = $1 AND r.start_at >= $2 AND r.start_at < $3 AND n.kind <> 'feeder'
          AND r.revision = (
              SELECT max(a.revision) FROM attestations a WHERE a.start_at = r.start_at
              AND (a.revision = 1 OR $4::timestamptz IS NULL OR a.attested_at < $4)
          )
        GROUP BY r.start_at, r.revision
    ), traded AS (
        SELECT start_at,
               coalesce(sum(wh) FILTER (WHERE seller_id = $1), 0)::bigint AS sold_wh,
               coalesce(sum(wh) FILTER (WHERE buyer_id = $1), 0)::bigint AS bought_wh,
               coalesce(sum(wh * price_mills) FILTER (WHERE seller_id = $1), 0)::bigint AS credit_micros,
               coalesce(sum(wh * price_mills) FILTER (WHERE buyer_id = $1), 0)::bigint AS energy_micros
        FROM trades WHERE (seller_id = $1 OR buyer_id = $1) AND start_at >= $2 AND start_at < $3
        GROUP BY start_at
    ), joined AS (
        SELECT i.start_at, i.end_at, i.state, m.revision, m.import_wh, m.export_wh,
               (ARRAY['valid', 'estimated', 'suspect', 'missing'])[m.worst] AS quality, c.price_mills,
               coalesce(t.sold_wh, 0) AS sold_wh, coalesce(t.bought_wh, 0) AS bought_wh,
               coalesce(t.credit_micros, 0) AS credit_micros, coalesce(t.energy_micros, 0) AS energy_micros,
               coalesce(q.wheeling_mills + q.platform_mills + q.loss_mills, 0) AS charges_mills,
               coalesce(q.export_tariff_mills, 0) AS export_mills, coalesce(q.import_tariff_mills, 0) AS import_mills,
               m.export_wh - m.import_wh AS net_wh, u.amount_micros, u.tariff_mills,
               f.amount_micros AS first_micros,
               coalesce(u.utility_wh, m.export_wh - m.import_wh - coalesce(t.sold_wh - t.bought_wh, 0)) AS utility_wh
        FROM metered m
        JOIN intervals i USING (start_at)
        LEFT JOIN traded t USING (start_at)
        LEFT JOIN clearings c USING (start_at)
        LEFT JOIN LATERAL rates_in_force(i.start_at) q ON true
        LEFT JOIN utility_lines u ON (u.start_at, u.revision, u.participant_id) = (m.start_at, m.revision, $1)
        LEFT JOIN utility_lines f ON (f.start_at, f.revision, f.participant_id) = (m.start_at, 1, $1)
    ), priced AS (
        SELECT *, least(import_wh, export_wh) AS own_use_wh, bought_wh * charges_mills AS charges_micros,
               energy_micros + bought_wh * charges_mills AS debit_micros,
               coalesce(tariff_mills, CASE WHEN utility_wh < 0 THEN import_mills ELSE export_mills END)
                   AS utility_tariff_mills,
               net_wh * CASE WHEN net_wh < 0 THEN import_mills ELSE export_mills END AS baseline_micros
        FROM joined
    ), summed AS (
        SELECT *, coalesce(amount_micros, utility_wh * utility_tariff_mills) AS utility_micros,
               coalesce(amount_micros - first_micros, 0) AS correction_micros
        FROM priced
    ), shown AS (
        SELECT *, credit_micros - debit_micros + utility_micros AS total_micros,
               credit_micros - debit_micros + utility_micros - baseline_micros AS saved_micros
        FROM summed
    )
"""
_SUMS = (
    "import_wh", "export_wh", "sold_wh", "bought_wh", "utility_wh", "credit_micros", "debit_micros", "charges_micros",
    "utility_micros", "total_micros", "baseline_micros", "saved_micros",
)  # fmt: skip


async def intervals(
    connection: Connection,
    participant_id: UUID,
    start: datetime,
    end: datetime,
    limit: int,
    made_before: datetime | None = None,
) -> list[Record]:
    """Returns the participant's intervals that start in [start, end), oldest first, with their line index.

    Each is of its newest revision; with ``made_before``, of the newest that was made before that time, or the first.
    """
    return await connection.fetch(
        f"""
        {_INTERVALS} SELECT shown.*, l.line_index FROM shown
        LEFT JOIN settlement_lines l ON l.start_at = shown.start_at AND l.participant_id = $1
        ORDER BY shown.start_at LIMIT $5
        """,  # noqa: S608 - a constant fragment
        participant_id, start, end, made_before, limit,
    )  # fmt: skip


async def totals(connection: Connection, participant_id: UUID, start: datetime, end: datetime) -> Row:
    """Returns the sums over the participant's intervals that start in [start, end), each as it was before ``end``."""
    columns = ", ".join(f"coalesce(sum({name}), 0)::bigint AS {name}" for name in _SUMS)
    query = f"{_INTERVALS} SELECT {columns} FROM shown"  # noqa: S608 - constant names
    row = await connection.fetchrow(query, participant_id, start, end, end)
    assert row is not None  # noqa: S101 - an aggregate always gives one row
    return row


async def newest_interval(
    connection: Connection, participant_id: UUID, since: datetime, until: datetime
) -> datetime | None:
    """Returns the start of the participant's newest attested interval in [since, until), or None."""
    newest: datetime | None = await connection.fetchval(
        "SELECT max(start_at) FROM interval_readings WHERE participant_id = $1 AND start_at >= $2 AND start_at < $3",
        participant_id, since, until,
    )  # fmt: skip
    return newest


async def meter_links(connection: Connection, participant_id: UUID, rows: Sequence[Row]) -> list[Record]:
    """Returns the participant's meters in these intervals, each with the readings at its boundaries.

    What a boundary rests on outside of the interval is left out: it proves nothing about the interval.
    """
    return await connection.fetch(
        """
        SELECT r.start_at, r.meter_id, r.import_wh, r.export_wh, r.quality, s.reading_id AS start_reading_id,
               e.reading_id AS end_reading_id
        FROM interval_readings r JOIN unnest($2::timestamptz[], $3::int[]) AS w (start_at, revision)
          ON r.start_at = w.start_at AND r.revision = w.revision
        JOIN intervals i ON i.start_at = r.start_at
        LEFT JOIN readings s ON s.reading_id = r.start_reading_id AND s.slot_at BETWEEN i.start_at AND i.end_at
        LEFT JOIN readings e ON e.reading_id = r.end_reading_id AND e.slot_at BETWEEN i.start_at AND i.end_at
        WHERE r.participant_id = $1 ORDER BY r.start_at, r.meter_id
        """,
        participant_id,
        [row["start_at"] for row in rows],
        [row["revision"] for row in rows],
    )


async def power(connection: Connection, participant_id: UUID) -> list[Record]:
    """Returns each active meter of the participant with the time and the power in W of its newest reading."""
    return await connection.fetch(
        """
        SELECT m.meter_id, r.slot_at, r.active_power_w
        FROM meters m LEFT JOIN LATERAL (
            SELECT slot_at, active_power_w FROM good_readings WHERE meter_id = m.meter_id
            ORDER BY slot_at DESC, reading_id LIMIT 1
        ) r ON true
        WHERE m.participant_id = $1 AND m.status = 'active' AND m.kind <> 'feeder' ORDER BY m.meter_id LIMIT 1000
        """,
        participant_id,
    )


async def running_interval(connection: Connection, participant_id: UUID, start: datetime, end: datetime) -> Row:
    """Returns the energy in Wh from the first to the newest reading of the running interval, over all meters.

    Readings in doubt do not count, nor does a meter whose register was set back meanwhile.
    """
    row = await connection.fetchrow(
        """
        SELECT coalesce(sum(greatest(l.import_wh - f.import_wh, 0)), 0)::bigint AS import_wh,
               coalesce(sum(greatest(l.export_wh - f.export_wh, 0)), 0)::bigint AS export_wh, min(l.slot_at) AS until
        FROM meters m
        CROSS JOIN LATERAL (
            SELECT * FROM good_readings WHERE meter_id = m.meter_id AND slot_at >= $2 AND slot_at < $3
            ORDER BY slot_at, reading_id LIMIT 1
        ) f
        CROSS JOIN LATERAL (
            SELECT * FROM good_readings WHERE meter_id = m.meter_id AND slot_at >= $2 AND slot_at < $3
            ORDER BY slot_at DESC, reading_id LIMIT 1
        ) l
        WHERE m.participant_id = $1 AND m.status = 'active' AND m.kind <> 'feeder'
        """,
        participant_id, start, end,
    )  # fmt: skip
    assert row is not None  # noqa: S101 - an aggregate always gives one row
    return row


async def last_price(connection: Connection) -> Record | None:
    """Returns the newest clearing in which something crossed, with its interval's charges; None before the first."""
    return await connection.fetchrow(
        """
        SELECT c.start_at, c.price_mills,
               coalesce(q.wheeling_mills + q.platform_mills + q.loss_mills, 0) AS charges_mills
        FROM clearings c LEFT JOIN LATERAL rates_in_force(c.start_at) q ON true
        WHERE c.price_mills IS NOT NULL ORDER BY c.start_at DESC LIMIT 1
        """
    )


async def tariffs(connection: Connection, at: datetime) -> Record | None:
    """Returns the utility's tariffs at this time, in mills per kWh; None when no rates are stored for it."""
    return await connection.fetchrow("SELECT export_tariff_mills, import_tariff_mills FROM rates_in_force($1)", at)


async def recent_events(connection: Connection, participant_id: UUID, limit: int) -> list[Record]:
    """Returns the participant's newest events, newest first: sold, bought, settled, reconciled."""
    return await connection.fetch(
        """
        WITH mine AS (
            SELECT t.*, CASE WHEN t.seller_id = $1 THEN 'sold' ELSE 'bought' END AS kind_of,
                   t.price_mills + CASE WHEN t.seller_id = $1 THEN 0 ELSE
                       coalesce(q.wheeling_mills + q.platform_mills + q.loss_mills, 0) END AS own_mills
            FROM trades t LEFT JOIN LATERAL rates_in_force(t.start_at) q ON true
            WHERE (t.seller_id = $1 OR t.buyer_id = $1) AND t.start_at IN (
                (SELECT start_at FROM trades WHERE seller_id = $1 ORDER BY start_at DESC LIMIT $2)
                UNION (SELECT start_at FROM trades WHERE buyer_id = $1 ORDER BY start_at DESC LIMIT $2))
        ), cleared AS (
            SELECT kind_of AS kind, max(traded_at) AS at, start_at, sum(wh)::bigint AS wh,
                   max(price_mills) AS price_mills,
                   sum(wh * own_mills)::bigint AS micros,
                   CASE WHEN count(*) = 1 THEN min(encode(trade_id, 'hex')) END AS trade_id
            FROM mine GROUP BY kind_of, start_at
        ), lines AS (
            SELECT l.start_at, l.sold_wh - l.bought_wh AS wh, l.credit_micros - l.debit_micros AS micros
            FROM settlement_lines l WHERE l.participant_id = $1 ORDER BY l.start_at DESC LIMIT $2
        ), events AS (
            SELECT * FROM cleared
            UNION ALL SELECT 'settled', i.closed_at, start_at, l.wh, NULL, l.micros, NULL
                FROM lines l JOIN intervals i USING (start_at) WHERE i.closed_at IS NOT NULL
            UNION ALL SELECT 'reconciled', i.reconciled_at, start_at, NULL, NULL, NULL, NULL
                FROM lines l JOIN intervals i USING (start_at) WHERE i.reconciled_at IS NOT NULL
        )
        SELECT e.*, i.end_at FROM events e JOIN intervals i USING (start_at) ORDER BY e.at DESC, e.kind LIMIT $2
        """,
        participant_id,
        limit,
    )
