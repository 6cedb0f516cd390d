"""The market's SQL that auction, settlement and publication share: rates, orders, trades, utility lines."""

from collections.abc import Iterable
from dataclasses import dataclass

from hub.clock import at_ms, at_s, to_s
from hub.errors import ConfigError, PermanentError
from hub.market.auction.residuals import Metered
from hub.market.orders import Order, Rates, Side, Trade
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


async def rates_at(connection: Connection, start_s: int) -> Rates:
    """Tariffs and charges in force at the interval's start.

    Raises:
        ConfigError: none are recorded for that time.
    """
    row = await connection.fetchrow(
        """
        SELECT wheeling_mills, platform_mills, loss_mills, export_tariff_mills, import_tariff_mills
        FROM rates_in_force($1)
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
