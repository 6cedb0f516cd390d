"""The auction's SQL: its input, market halts, and the rows of its outcome."""

from collections.abc import Iterable, Sequence
from uuid import UUID

from hub.clock import at_ms, at_s, to_s
from hub.market.auction.invariants import Outcome
from hub.market.auction.residuals import UnsettledDebits
from hub.market.orders import Trade
from hub.market.repository import insert_utility_lines
from hub.metering.repository import advance
from hub.postgres.db import Connection
from hub.units import Micros

DAY_S = 86400


async def next_attested(connection: Connection) -> tuple[int, int] | None:
    """Returns start and end, in s since 1970, of the oldest attested interval that is not cleared."""
    row = await connection.fetchrow(
        "SELECT start_at, end_at FROM intervals WHERE state = 'attested' ORDER BY start_at LIMIT 1"
    )
    return None if row is None else (to_s(row["start_at"]), to_s(row["end_at"]))


async def unsettled_debits(connection: Connection, start_s: int) -> dict[UUID, UnsettledDebits]:
    """Returns by buyer the debits of trades whose interval is not closed, charges included.

    The sums are over all such trades, and over those of the UTC day of ``start_s``.
    """
    rows = await connection.fetch(
        """
        WITH owed AS (
            SELECT t.buyer_id, t.start_at,
                   t.wh * (t.price_mills + r.wheeling_mills + r.platform_mills + r.loss_mills) AS micros
            FROM trades t
            LEFT JOIN intervals i USING (start_at)
            CROSS JOIN LATERAL rates_in_force(t.start_at) r
            WHERE (i.state IS NULL OR i.state NOT IN ('closed', 'reconciled'))
              AND t.start_at >= coalesce(
                  (SELECT min(start_at) FROM intervals WHERE state NOT IN ('closed', 'reconciled')), $1)
        )
        SELECT buyer_id, sum(micros)::bigint AS total,
               coalesce(sum(micros) FILTER (WHERE start_at >= $1 AND start_at < $2), 0)::bigint AS of_day
        FROM owed GROUP BY buyer_id
        """,
        at_s(start_s - start_s % DAY_S),
        at_s(start_s - start_s % DAY_S + DAY_S),
    )
    return {row["buyer_id"]: UnsettledDebits(Micros(row["total"]), Micros(row["of_day"])) for row in rows}


async def record_halt(connection: Connection, start_s: int, reason: str, now_ms: int) -> None:
    """Stores that the interval's clearing broke a rule; the time of the first breach stays while the halt lasts."""
    await connection.execute(
        """
        INSERT INTO market_halts AS h (start_at, halted_at, reason) VALUES ($1, $2, $3)
        ON CONFLICT (start_at) DO UPDATE SET
            halted_at = CASE WHEN h.over_at IS NULL THEN h.halted_at ELSE excluded.halted_at END,
            reason = excluded.reason, over_at = NULL
        """,
        at_s(start_s),
        at_ms(now_ms),
        reason,
    )


async def end_halt(connection: Connection, start_s: int, now_ms: int) -> None:
    """Ends the halt of an interval that is cleared now, if there is one."""
    await connection.execute(
        "UPDATE market_halts SET over_at = $2 WHERE start_at = $1 AND over_at IS NULL", at_s(start_s), at_ms(now_ms)
    )


async def take_attested(connection: Connection, start_s: int, now_ms: int) -> bool:
    """Moves the interval to `cleared`; returns False when another process did so before."""
    return await advance(connection, start_s, "cleared", now_ms)


async def insert_outcome(
    connection: Connection, outcome: Outcome, qualities: dict[UUID, str], journal_hash: bytes, now_ms: int
) -> None:
    """Stores orders with their fills, the clearing, its trades and the utility lines of revision 1."""
    await _insert_orders(connection, outcome, now_ms)
    clearing, start_at, now = outcome.clearing, at_s(outcome.start_s), at_ms(now_ms)
    await connection.execute(
        """
        INSERT INTO clearings
            (start_at, price_mills, volume_wh, price_low_mills, price_high_mills, journal_hash, cleared_at)
        VALUES ($1, $2, $3, $4, $5, $6, $7)
        """,
        start_at, clearing.price_mills, clearing.volume_wh, clearing.low_mills, clearing.high_mills, journal_hash, now,
    )  # fmt: skip
    await _insert_trades(connection, clearing.trades, now_ms)
    await insert_utility_lines(connection, outcome.start_s, 1, outcome.utility, qualities)


async def _insert_orders(connection: Connection, outcome: Outcome, now_ms: int) -> None:
    filled = {f.order.order_id: f.wh for f in outcome.clearing.fills}
    start_at, now = at_s(outcome.start_s), at_ms(now_ms)
    await _copy(
        connection, "orders",
        ("order_id", "start_at", "participant_id", "kind", "side", "sequence", "wh", "limit_mills", "filled_wh",
         "created_at"),
        [
            (o.order_id, start_at, o.participant_id, o.kind, o.side.value, o.sequence, o.wh, o.limit_mills,
             filled[o.order_id], now)
            for o in outcome.orders
        ],
    )  # fmt: skip


async def _insert_trades(connection: Connection, trades: Sequence[Trade], now_ms: int) -> None:
    now = at_ms(now_ms)
    await _copy(
        connection, "trades",
        ("trade_id", "start_at", "kind", "seller_id", "buyer_id", "ask_order_id", "bid_order_id", "fill_index", "wh",
         "price_mills", "traded_at"),
        [
            (t.trade_id, at_s(t.start_s), t.kind, t.seller_id, t.buyer_id, t.ask_order_id, t.bid_order_id,
             t.fill_index, t.wh, t.price_mills, now)
            for t in trades
        ],
    )  # fmt: skip


async def _copy(
    connection: Connection, table: str, columns: Sequence[str], records: Iterable[tuple[object, ...]]
) -> None:
    await connection.copy_records_to_table(table, columns=list(columns), records=list(records))
