"""Reads trades, clearings and market halts for the API."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from hub.postgres.db import Connection, Record

TRADE_KEY = (datetime, bytes)

# A trade from one side: $1 is the viewer's participant id, or null for the seller's side; $2 is the interval's length.
_TRADES = """
    SELECT t.trade_id, t.start_at, coalesce(i.end_at, t.start_at + $2::interval) AS end_at, v.viewer_id,
           CASE WHEN v.viewer_id = t.seller_id THEN 'sell' ELSE 'buy' END AS side,
           t.kind, t.zone, t.wh, t.price_mills, t.traded_at,
           q.wheeling_mills, q.platform_mills, q.loss_mills, s.planned_at, b.batch, b.state AS settle_state,
           bx.submitted_at AS sent_at, bx.confirmed_at, c.state AS close_state, cx.finalized_at AS final_at
    FROM trades t
    CROSS JOIN LATERAL (SELECT coalesce($1::uuid, t.seller_id) AS viewer_id) v
    LEFT JOIN intervals i USING (start_at)
    LEFT JOIN settlements s USING (start_at)
    LEFT JOIN settlement_lines l ON l.start_at = t.start_at AND l.participant_id = v.viewer_id
    LEFT JOIN settlement_steps b ON b.start_at = t.start_at AND b.kind = 'settle'
        AND l.line_index >= b.first_line AND l.line_index < b.end_line
    LEFT JOIN blockchain_transactions bx ON bx.signature = b.signature
    LEFT JOIN settlement_steps c ON c.start_at = t.start_at AND c.kind = 'close'
    LEFT JOIN blockchain_transactions cx ON cx.signature = c.signature
    LEFT JOIN LATERAL rates_in_force(t.start_at) q ON true
"""


async def trades(
    connection: Connection, viewer_id: UUID, interval_s: int, before: Sequence[Any] | None, limit: int
) -> list[Record]:
    """Returns the viewer's trades before the key (interval start, trade id), newest first."""
    start, trade_id = before if before is not None else (None, None)
    return await connection.fetch(
        f"""
        {_TRADES}
        WHERE t.trade_id IN (
            (SELECT trade_id FROM trades WHERE seller_id = $1
               AND ($3::timestamptz IS NULL OR (start_at, trade_id) < ($3, $4::bytea))
             ORDER BY start_at DESC, trade_id DESC LIMIT $5)
            UNION ALL
            (SELECT trade_id FROM trades WHERE buyer_id = $1
               AND ($3::timestamptz IS NULL OR (start_at, trade_id) < ($3, $4::bytea))
             ORDER BY start_at DESC, trade_id DESC LIMIT $5))
        ORDER BY t.start_at DESC, t.trade_id DESC LIMIT $5
        """,  # noqa: S608 - a constant fragment
        viewer_id, timedelta(seconds=interval_s), start, trade_id, limit,
    )  # fmt: skip


async def trade(connection: Connection, trade_id: bytes, viewer_id: UUID | None, interval_s: int) -> Record | None:
    """Returns a trade of the viewer from their side, or for None any trade from the seller's side."""
    return await connection.fetchrow(
        f"{_TRADES} WHERE t.trade_id = $3 AND v.viewer_id IN (t.seller_id, t.buyer_id)",
        viewer_id, timedelta(seconds=interval_s), trade_id,
    )  # fmt: skip


async def line(connection: Connection, start_at: datetime, participant_id: UUID) -> Record | None:
    """Returns the participant's settlement line of the interval, with the number of lines and their root."""
    return await connection.fetchrow(
        """
        SELECT l.*, s.line_count, s.lines_root FROM settlement_lines l JOIN settlements s USING (start_at)
        WHERE l.start_at = $1 AND l.participant_id = $2
        """,
        start_at,
        participant_id,
    )


async def transactions(connection: Connection, start_at: datetime, batch: int | None) -> list[Record]:
    """Returns the interval's transactions, of its settle batches only this one; at most 50."""
    return await connection.fetch(
        """
        SELECT * FROM blockchain_transactions
        WHERE start_at = $1 AND (kind <> 'settle' OR batch = $2) ORDER BY created_at, signature LIMIT 50
        """,
        start_at,
        batch,
    )


async def meter_links(connection: Connection, participant_id: UUID, start_at: datetime) -> list[Record]:
    """Returns the energy of the participant's meters that the interval was cleared with (revision 1)."""
    return await connection.fetch(
        """
        SELECT r.meter_id, r.import_wh, r.export_wh, r.quality, s.reading_id AS start_reading_id,
               e.reading_id AS end_reading_id
        FROM interval_readings r JOIN intervals i USING (start_at)
        LEFT JOIN readings s ON s.reading_id = r.start_reading_id AND s.slot_at BETWEEN i.start_at AND i.end_at
        LEFT JOIN readings e ON e.reading_id = r.end_reading_id AND e.slot_at BETWEEN i.start_at AND i.end_at
        WHERE r.participant_id = $1 AND r.start_at = $2 AND r.revision = 1 ORDER BY r.meter_id
        """,
        participant_id,
        start_at,
    )


async def clearing(connection: Connection, start_at: datetime | None) -> Record | None:
    """Returns the clearing of this interval, or for None the newest, with its charges and tariffs."""
    return await connection.fetchrow(
        """
        SELECT c.*, i.end_at, coalesce(q.wheeling_mills + q.platform_mills + q.loss_mills, 0) AS charges_mills,
               coalesce(q.export_tariff_mills, 0) AS export_tariff_mills,
               coalesce(q.import_tariff_mills, 0) AS import_tariff_mills
        FROM clearings c JOIN intervals i USING (start_at) LEFT JOIN LATERAL rates_in_force(c.start_at) q ON true
        WHERE $1::timestamptz IS NULL OR c.start_at = $1 ORDER BY c.start_at DESC LIMIT 1
        """,
        start_at,
    )


async def curve(connection: Connection, start_at: datetime, own_id: UUID | None) -> list[Record]:
    """Returns the auction's orders summed by side and price, in Wh, and how much of each is this participant's."""
    return await connection.fetch(
        """
        SELECT side, limit_mills AS price_mills, sum(wh)::bigint AS wh,
               coalesce(sum(wh) FILTER (WHERE participant_id = $2), 0)::bigint AS own_wh
        FROM orders WHERE start_at = $1 AND kind = 'residual'
        GROUP BY side, limit_mills ORDER BY side, limit_mills LIMIT 2000
        """,
        start_at,
        own_id,
    )


async def open_halts(connection: Connection) -> list[Record]:
    """Returns the intervals whose clearing broke a rule of the market and that are not cleared yet, oldest first."""
    return await connection.fetch(
        "SELECT start_at, halted_at, reason FROM market_halts WHERE over_at IS NULL ORDER BY start_at LIMIT 100"
    )
