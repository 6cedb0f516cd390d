"""The market's SQL that auction, settlement and publication share: rates, orders, trades, utility lines."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from uuid import UUID

from hub.clock import at_ms, at_s, to_s
from hub.errors import ConfigError, PermanentError
from hub.market.auction.residuals import MeteredEnergy
from hub.market.orders import Order, Rates, Side, Trade
from hub.market.utility import UtilityLine
from hub.postgres.db import Connection, Record
from hub.units import Micros, PriceMills, Wh


@dataclass(frozen=True, slots=True)
class MeteredRow:
    """A participant's energy in an interval, its quality and the participant's wallet (base58)."""

    metered: MeteredEnergy
    quality: str
    """The worst quality among the participant's meters."""
    wallet: str | None


async def rates_at(connection: Connection, start_s: int) -> Rates:
    """Returns the tariffs and charges in force at the interval's start.

    Raises:
        ConfigError: the table `rates` has none for that time.
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


async def all_rates(connection: Connection) -> dict[int, Rates]:
    """Returns all stored rates by the time from which they are in force, in s since 1970."""
    rows = await connection.fetch(
        """
        SELECT effective_from, wheeling_mills, platform_mills, loss_mills, export_tariff_mills, import_tariff_mills
        FROM rates
        """
    )
    return {to_s(row[0]): Rates(*(PriceMills(value) for value in list(row.values())[1:])) for row in rows}


async def insert_rates(connection: Connection, effective_s: int, rates: Rates) -> None:
    """Stores rates that take effect at a time for which none are stored; stored rates never change."""
    await connection.execute(
        """
        INSERT INTO rates (effective_from, wheeling_mills, platform_mills, loss_mills, export_tariff_mills,
                           import_tariff_mills)
        VALUES ($1, $2, $3, $4, $5, $6)
        """,
        at_s(effective_s), rates.wheeling_mills, rates.platform_mills, rates.loss_mills, rates.export_tariff_mills,
        rates.import_tariff_mills,
    )  # fmt: skip


async def count_cleared_since(connection: Connection, start_s: int) -> int:
    """Returns how many cleared intervals start at or after ``start_s``."""
    return int(await connection.fetchval("SELECT count(*) FROM clearings WHERE start_at >= $1", at_s(start_s)))


async def forward_trades(connection: Connection, start_s: int) -> list[Trade]:
    """Returns the trades that were agreed before the interval."""
    return await trades(connection, start_s, "forward")


async def trades(connection: Connection, start_s: int, kind: str | None = None) -> list[Trade]:
    """Returns the interval's trades of one kind, or of both, forward first, each in order of fills."""
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
    """Returns the orders that were placed before the interval."""
    return [order for order in await orders(connection, start_s) if order.kind != "residual"]


async def orders(connection: Connection, start_s: int) -> list[Order]:
    """Returns all orders for the interval, sorted by id."""
    rows = await connection.fetch("SELECT * FROM orders WHERE start_at = $1 ORDER BY order_id", at_s(start_s))
    return [
        Order(
            r["order_id"], start_s, r["participant_id"], Side(r["side"]), r["sequence"], Wh(r["wh"]),
            PriceMills(r["limit_mills"]), r["kind"],
        )
        for r in rows
    ]  # fmt: skip


async def clearing_price(connection: Connection, start_s: int) -> PriceMills | None:
    """Returns the price of a cleared interval; None when nothing crossed.

    Raises:
        PermanentError: the interval was not cleared.
    """
    row = await connection.fetchrow("SELECT price_mills FROM clearings WHERE start_at = $1", at_s(start_s))
    if row is None:
        raise PermanentError(f"The interval {at_s(start_s).isoformat()} is not cleared: ask again when it is")
    return None if row["price_mills"] is None else PriceMills(row["price_mills"])


async def utility_lines(connection: Connection, start_s: int) -> list[UtilityLine]:
    """Returns the interval's utility lines of revision 1."""
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


async def update_utility_lines(connection: Connection, start_s: int, lines: Iterable[UtilityLine]) -> None:
    """Updates the utility lines of revision 1; a stored line that is not in ``lines`` becomes 0."""
    await connection.execute(
        "UPDATE utility_lines SET utility_wh = 0, amount_micros = 0 WHERE start_at = $1 AND revision = 1", at_s(start_s)
    )
    await connection.executemany(
        """
        UPDATE utility_lines SET utility_wh = $3, tariff_mills = $4, amount_micros = $5
        WHERE start_at = $1 AND revision = 1 AND participant_id = $2
        """,
        [
            (at_s(start_s), line.participant_id, line.utility_wh, line.tariff_mills, line.amount_micros)
            for line in lines
        ],
    )


async def release_trades(connection: Connection, start_s: int, now_ms: int) -> int:
    """Moves the interval's trades to `released_trades`, out of every bill; returns how many."""
    status = await connection.execute(
        """
        WITH gone AS (DELETE FROM trades WHERE start_at = $1 RETURNING *)
        INSERT INTO released_trades SELECT gone.*, $2 FROM gone
        """,
        at_s(start_s),
        at_ms(now_ms),
    )
    return int(status.rpartition(" ")[2])


async def replace_utility_lines(
    connection: Connection, start_s: int, revision: int, lines: Iterable[UtilityLine], qualities: Mapping[UUID, str]
) -> None:
    """Stores the utility lines of a revision in place of those it had (``insert_utility_lines``)."""
    await connection.execute("DELETE FROM utility_lines WHERE start_at = $1 AND revision = $2", at_s(start_s), revision)
    await insert_utility_lines(connection, start_s, revision, lines, qualities)


async def insert_utility_lines(
    connection: Connection, start_s: int, revision: int, lines: Iterable[UtilityLine], qualities: Mapping[UUID, str]
) -> None:
    """Stores the utility lines of a revision, each with the worst quality of the participant's meters."""
    await connection.copy_records_to_table(
        "utility_lines",
        columns=("start_at", "revision", "participant_id", "utility_wh", "tariff_mills", "amount_micros", "quality"),
        records=[
            (at_s(start_s), revision, line.participant_id, line.utility_wh, line.tariff_mills, line.amount_micros,
             qualities.get(line.participant_id, "missing"))
            for line in lines
        ],
    )  # fmt: skip


async def corrected_revisions(connection: Connection, start_s: int) -> list[int]:
    """Returns the revisions of an interval after the first, in order."""
    rows = await connection.fetch(
        "SELECT revision FROM attestations WHERE start_at = $1 AND revision > 1 ORDER BY revision", at_s(start_s)
    )
    return [row["revision"] for row in rows]


async def metered_energy(connection: Connection, start_s: int, revision: int = 1) -> list[MeteredRow]:
    """Returns each participant's energy of a revision, summed over their meters, sorted by participant id.

    What a feeder meter measures, others measure again: it is in no sum.
    """
    rows = await connection.fetch(
        """
        SELECT r.participant_id, p.wallet, p.ask_limit_mills, p.bid_limit_mills,
               sum(r.import_wh)::bigint AS import_wh, sum(r.export_wh)::bigint AS export_wh,
               CASE max(CASE r.quality WHEN 'valid' THEN 0 WHEN 'estimated' THEN 1 WHEN 'suspect' THEN 2 ELSE 3 END)
                    WHEN 0 THEN 'valid' WHEN 1 THEN 'estimated' WHEN 2 THEN 'suspect' ELSE 'missing' END AS quality
        FROM interval_readings r JOIN participants p USING (participant_id) JOIN meters m USING (meter_id)
        WHERE r.start_at = $1 AND r.revision = $2 AND m.kind <> 'feeder'
        GROUP BY r.participant_id, p.wallet, p.ask_limit_mills, p.bid_limit_mills
        ORDER BY r.participant_id
        """,
        at_s(start_s),
        revision,
    )
    return [MeteredRow(_metered(row), row["quality"], row["wallet"]) for row in rows]


def _metered(row: Record) -> MeteredEnergy:
    return MeteredEnergy(
        row["participant_id"],
        Wh(row["import_wh"]),
        Wh(row["export_wh"]),
        row["quality"] == "valid",
        row["ask_limit_mills"],
        row["bid_limit_mills"],
    )
