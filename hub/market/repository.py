"""The market's SQL: what an interval's auction starts from, and the rows of its outcome."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from uuid import UUID

from hub.clock import at_ms, at_s, to_s
from hub.errors import ConfigError, PermanentError
from hub.market.invariants import Outcome
from hub.market.orders import Order, Rates, Side, Trade
from hub.market.residuals import Metered, Unsettled
from hub.market.utility import UtilityLine
from hub.postgres.db import Connection, Record
from hub.units import Micros, PriceMills, Wh

DAY_S = 86400


@dataclass(frozen=True, slots=True)
class MeteredRow:
    """A participant's interval with what else the market has to know about them."""

    metered: Metered
    quality: str
    """The worst of their meters."""
    wallet: str | None


async def next_attested(connection: Connection) -> tuple[int, int] | None:
    """Start and end of the oldest interval that waits for its auction."""
    row = await connection.fetchrow(
        "SELECT start_at, end_at FROM intervals WHERE state = 'attested' ORDER BY start_at LIMIT 1"
    )
    return None if row is None else (to_s(row["start_at"]), to_s(row["end_at"]))


async def rates_at(connection: Connection, start_s: int) -> Rates:
    """Tariffs and charges in force at the interval's start.

    Raises:
        ConfigError: none are recorded for that time.
    """
    row = await connection.fetchrow(
        """
        SELECT wheeling_mills, platform_mills, loss_mills, export_tariff_mills, import_tariff_mills
        FROM rates WHERE effective_from <= $1 ORDER BY effective_from DESC LIMIT 1
        """,
        at_s(start_s),
    )
    if row is None:
        raise ConfigError(
            f"No tariffs are in force at {at_s(start_s).isoformat()}: the table `rates` needs a row that takes effect "
            "before the first interval; the worker copies it from governance's parameters, `peerwatt-hub doctor` says "
            "whether the chain has them. For intervals from before governance, add the tariffs that held then"
        )
    return Rates(*(PriceMills(value) for value in row.values()))


async def rates(connection: Connection) -> dict[int, Rates]:
    """All rates that are known, by the second from which they hold."""
    rows = await connection.fetch(
        """
        SELECT effective_from, wheeling_mills, platform_mills, loss_mills, export_tariff_mills, import_tariff_mills
        FROM rates
        """
    )
    return {to_s(row[0]): Rates(*(PriceMills(value) for value in list(row.values())[1:])) for row in rows}


async def insert_rates(connection: Connection, effective_s: int, added: Rates) -> None:
    """Rates that were not known; those of a time once written are never changed."""
    await connection.execute(
        """
        INSERT INTO rates (effective_from, wheeling_mills, platform_mills, loss_mills, export_tariff_mills,
                           import_tariff_mills)
        VALUES ($1, $2, $3, $4, $5, $6)
        """,
        at_s(effective_s), added.wheeling_mills, added.platform_mills, added.loss_mills, added.export_tariff_mills,
        added.import_tariff_mills,
    )  # fmt: skip


async def cleared_since(connection: Connection, start_s: int) -> int:
    """How many intervals that begin then or later are cleared."""
    return int(await connection.fetchval("SELECT count(*) FROM clearings WHERE start_at >= $1", at_s(start_s)))


async def metered(connection: Connection, start_s: int) -> list[MeteredRow]:
    """Everybody's energy by revision 1, all their meters together, in order of participant id."""
    rows = await connection.fetch(
        """
        SELECT r.participant_id, p.wallet, p.ask_limit_mills, p.bid_limit_mills,
               sum(r.import_wh)::bigint AS import_wh, sum(r.export_wh)::bigint AS export_wh,
               CASE max(CASE r.quality WHEN 'valid' THEN 0 WHEN 'estimated' THEN 1 WHEN 'suspect' THEN 2 ELSE 3 END)
                    WHEN 0 THEN 'valid' WHEN 1 THEN 'estimated' WHEN 2 THEN 'suspect' ELSE 'missing' END AS quality
        FROM interval_readings r JOIN participants p USING (participant_id)
        WHERE r.start_at = $1 AND r.revision = 1
        GROUP BY r.participant_id, p.wallet, p.ask_limit_mills, p.bid_limit_mills
        ORDER BY r.participant_id
        """,
        at_s(start_s),
    )
    return [MeteredRow(_metered(row), row["quality"], row["wallet"]) for row in rows]


def _metered(row: Record) -> Metered:
    return Metered(
        row["participant_id"],
        Wh(row["import_wh"]),
        Wh(row["export_wh"]),
        row["quality"] == "valid",
        row["ask_limit_mills"],
        row["bid_limit_mills"],
    )


async def forward_trades(connection: Connection, start_s: int) -> list[Trade]:
    """What was traded ahead for this interval."""
    return await trades(connection, start_s, "forward")


async def trades(connection: Connection, start_s: int, kind: str | None = None) -> list[Trade]:
    """The interval's trades, forward first, each kind in order of fills."""
    rows = await connection.fetch(
        """
        SELECT * FROM trades WHERE start_at = $1 AND ($2::text IS NULL OR kind = $2)
        ORDER BY kind DESC, fill_index, trade_id
        """,
        at_s(start_s),
        kind,
    )
    return [
        Trade(
            r["trade_id"], start_s, r["kind"], r["seller_id"], r["buyer_id"], r["ask_order_id"], r["bid_order_id"],
            r["fill_index"], Wh(r["wh"]), PriceMills(r["price_mills"]),
        )
        for r in rows
    ]  # fmt: skip


async def forward_orders(connection: Connection, start_s: int) -> list[Order]:
    """The orders that were entered ahead for this interval."""
    return [o for o in await orders(connection, start_s) if o.kind != "residual"]


async def orders(connection: Connection, start_s: int) -> list[Order]:
    """All orders for this interval, in order of their ids."""
    rows = await connection.fetch("SELECT * FROM orders WHERE start_at = $1 ORDER BY order_id", at_s(start_s))
    return [
        Order(
            r["order_id"], start_s, r["participant_id"], Side(r["side"]), r["sequence"], Wh(r["wh"]),
            PriceMills(r["limit_mills"]), r["kind"],
        )
        for r in rows
    ]  # fmt: skip


async def clearing_price(connection: Connection, start_s: int) -> PriceMills | None:
    """The stored price of an interval that was cleared; None when nothing crossed.

    Raises:
        PermanentError: the interval was not cleared.
    """
    row = await connection.fetchrow("SELECT price_mills FROM clearings WHERE start_at = $1", at_s(start_s))
    if row is None:
        raise PermanentError(f"The interval {at_s(start_s).isoformat()} is not cleared: ask again when it is")
    return None if row["price_mills"] is None else PriceMills(row["price_mills"])


async def unsettled(connection: Connection, start_s: int) -> dict[UUID, Unsettled]:
    """Debits of trades whose interval is not closed yet, charges included: in all, and of the start's UTC day."""
    rows = await connection.fetch(
        """
        WITH owed AS (
            SELECT t.buyer_id, t.start_at,
                   t.wh * (t.price_mills + r.wheeling_mills + r.platform_mills + r.loss_mills) AS micros
            FROM trades t
            LEFT JOIN intervals i USING (start_at)
            CROSS JOIN LATERAL (
                SELECT * FROM rates WHERE effective_from <= t.start_at ORDER BY effective_from DESC LIMIT 1
            ) AS r
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
    return {r["buyer_id"]: Unsettled(Micros(r["total"]), Micros(r["of_day"])) for r in rows}


async def record_halt(connection: Connection, start_s: int, reason: str, now_ms: int) -> None:
    """The interval's clearing broke a rule of the market; the first time stays as long as the halt lasts."""
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
    """The interval is cleared after all."""
    await connection.execute(
        "UPDATE market_halts SET over_at = $2 WHERE start_at = $1 AND over_at IS NULL", at_s(start_s), at_ms(now_ms)
    )


async def take_attested(connection: Connection, start_s: int, now_ms: int) -> bool:
    """Moves the interval to `cleared`; False when somebody did so before."""
    status = await connection.execute(
        "UPDATE intervals SET state = 'cleared', cleared_at = $2 WHERE start_at = $1 AND state = 'attested'",
        at_s(start_s),
        at_ms(now_ms),
    )
    return bool(status == "UPDATE 1")


async def insert_outcome(
    connection: Connection, outcome: Outcome, qualities: dict[UUID, str], journal_hash: bytes, now_ms: int
) -> None:
    """Orders with their fills, the clearing, its trades and the utility lines of revision 1."""
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
    await _copy(
        connection, "utility_lines",
        ("start_at", "revision", "participant_id", "utility_wh", "tariff_mills", "amount_micros", "quality"),
        [
            (start_at, 1, u.participant_id, u.utility_wh, u.tariff_mills, u.amount_micros,
             qualities.get(u.participant_id, "missing"))
            for u in outcome.utility
        ],
    )  # fmt: skip


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


async def _insert_trades(connection: Connection, rows: Sequence[Trade], now_ms: int) -> None:
    now = at_ms(now_ms)
    await _copy(
        connection, "trades",
        ("trade_id", "start_at", "kind", "seller_id", "buyer_id", "ask_order_id", "bid_order_id", "fill_index", "wh",
         "price_mills", "traded_at"),
        [
            (t.trade_id, at_s(t.start_s), t.kind, t.seller_id, t.buyer_id, t.ask_order_id, t.bid_order_id,
             t.fill_index, t.wh, t.price_mills, now)
            for t in rows
        ],
    )  # fmt: skip


async def _copy(
    connection: Connection, table: str, columns: Sequence[str], records: Iterable[tuple[object, ...]]
) -> None:
    await connection.copy_records_to_table(table, columns=list(columns), records=list(records))


async def utility(connection: Connection, start_s: int) -> list[UtilityLine]:
    """The utility lines of revision 1."""
    rows = await connection.fetch(
        """
        SELECT participant_id, utility_wh, tariff_mills, amount_micros FROM utility_lines
        WHERE start_at = $1 AND revision = 1
        """,
        at_s(start_s),
    )
    return [
        UtilityLine(r["participant_id"], Wh(r["utility_wh"]), PriceMills(r["tariff_mills"]), Micros(r["amount_micros"]))
        for r in rows
    ]


async def update_utility(connection: Connection, start_s: int, lines: Iterable[UtilityLine]) -> None:
    """Puts these figures into the lines of revision 1; who is not among them had only trades, and has none left."""
    await connection.execute(
        "UPDATE utility_lines SET utility_wh = 0, amount_micros = 0 WHERE start_at = $1 AND revision = 1", at_s(start_s)
    )
    await connection.executemany(
        """
        UPDATE utility_lines SET utility_wh = $3, tariff_mills = $4, amount_micros = $5
        WHERE start_at = $1 AND revision = 1 AND participant_id = $2
        """,
        [(at_s(start_s), u.participant_id, u.utility_wh, u.tariff_mills, u.amount_micros) for u in lines],
    )


async def release_trades(connection: Connection, start_s: int, now_ms: int) -> int:
    """Takes the interval's trades out of everybody's bill and keeps them aside; returns how many."""
    status = await connection.execute(
        """
        WITH gone AS (DELETE FROM trades WHERE start_at = $1 RETURNING *)
        INSERT INTO released_trades SELECT gone.*, $2 FROM gone
        """,
        at_s(start_s),
        at_ms(now_ms),
    )
    return int(status.rpartition(" ")[2])
