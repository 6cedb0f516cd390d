"""The market's rows are read back as they were written, each column into its own field."""

from uuid import UUID

import pytest

from hub.clock import at_ms, at_s
from hub.errors import ConfigError
from hub.market import queries, repository
from hub.market.orders import Order, Rates, Side, Trade
from hub.market.utility import UtilityLine
from hub.postgres.db import Connection, Pool
from hub.units import Micros, PriceMills, Wh
from support.rows.seed import ANNA, BEN, CLEO, IMPORT_EXPORT, INTERVAL_S, START_S, UTILITY_WH, Campus, stand_in

LATER_S = START_S + 86_400


def rates(first_mills: int) -> Rates:
    """Returns five rates, no two of them alike."""
    return Rates(*(PriceMills(first_mills + step) for step in range(5)))


async def test_rates_hold_from_their_second_on(pool: Pool) -> None:
    async with pool.acquire() as connection:
        await repository.insert_rates(connection, START_S, rates(10))
        await repository.insert_rates(connection, LATER_S, rates(20))
        assert await repository.all_rates(connection) == {START_S: rates(10), LATER_S: rates(20)}
        assert await repository.rates_at(connection, START_S) == rates(10)
        assert await repository.rates_at(connection, LATER_S - 1) == rates(10)
        assert await repository.rates_at(connection, LATER_S) == rates(20)
        with pytest.raises(ConfigError, match="2026-06-01T09:29:59"):
            await repository.rates_at(connection, START_S - 1)


async def test_cleared_intervals_are_counted_from_their_start_on(pool: Pool, campus: Campus) -> None:
    async with pool.acquire() as connection:
        assert await repository.count_cleared_since(connection, START_S) == 1
        assert await repository.count_cleared_since(connection, START_S + 1) == 0


async def _add_forward_trade(connection: Connection) -> tuple[list[Order], Trade]:
    """Stores a forward trade of Cleo to Anna with its two orders, no two figures alike; returns them."""
    orders = [
        Order(stand_in("ask"), START_S, CLEO, Side.ASK, 7, Wh(70), PriceMills(2300), "limit"),
        Order(stand_in("bid"), START_S, ANNA, Side.BID, 8, Wh(80), PriceMills(2500), "market"),
    ]
    trade = Trade(
        stand_in("forward"), START_S, "forward", CLEO, ANNA, orders[0].order_id, orders[1].order_id, 5, Wh(66),
        PriceMills(2400),
    )  # fmt: skip
    await connection.executemany(
        "INSERT INTO orders (order_id, start_at, participant_id, kind, side, sequence, wh, limit_mills) "
        "VALUES ($1, $2, $3, $4, $5, $6, $7, $8)",
        [
            (o.order_id, at_s(START_S), o.participant_id, o.kind, o.side.value, o.sequence, o.wh, o.limit_mills)
            for o in orders
        ],
    )
    await connection.execute(
        "INSERT INTO trades VALUES ($1, $2, 'forward', $3, $4, $5, $6, $7, $8, $9, 'campus', $2)",
        trade.trade_id, at_s(START_S), CLEO, ANNA, trade.ask_order_id, trade.bid_order_id, trade.fill_index, trade.wh,
        trade.price_mills,
    )  # fmt: skip
    return orders, trade


async def test_orders_and_trades_are_read_as_they_were_written(pool: Pool, campus: Campus) -> None:
    async with pool.acquire() as connection:
        orders, trade = await _add_forward_trade(connection)
        by_id = sorted(orders, key=lambda order: order.order_id)
        assert await repository.forward_orders(connection, START_S) == by_id
        everything = await repository.orders(connection, START_S)
        assert len(everything) == 5
        assert everything == sorted(everything, key=lambda order: order.order_id)
        assert await repository.forward_trades(connection, START_S) == [trade]
        forward, first, second = await repository.trades(connection, START_S)
        assert forward == trade
        assert (first.trade_id, second.trade_id) == (campus.trades[BEN], campus.trades[CLEO])
        assert first == Trade(
            campus.trades[BEN], START_S, "ex_post", ANNA, BEN, stand_in(f"order {ANNA}"), stand_in(f"order {BEN}"), 0,
            Wh(346), PriceMills(4120),
        )  # fmt: skip
        assert await repository.trades(connection, START_S, "ex_post") == [first, second]
        assert await repository.trades(connection, START_S + INTERVAL_S) == []


async def test_released_trades_are_counted_and_kept(pool: Pool, campus: Campus) -> None:
    async with pool.acquire() as connection:
        assert await repository.release_trades(connection, START_S, START_S * 1000 + 7) == 2
        assert await repository.trades(connection, START_S) == []
        assert await repository.release_trades(connection, START_S, START_S * 1000 + 8) == 0
    released = await pool.fetch("SELECT trade_id, released_at FROM released_trades")
    assert {tuple(row) for row in released} == {
        (trade_id, at_ms(START_S * 1000 + 7)) for trade_id in campus.trades.values()
    }


async def test_nothing_crossed_is_no_price(pool: Pool, campus: Campus) -> None:
    async with pool.acquire() as connection:
        assert await repository.clearing_price(connection, START_S) == 4120
        await connection.execute("UPDATE clearings SET price_mills = NULL")
        assert await repository.clearing_price(connection, START_S) is None


async def _lines(connection: Connection) -> dict[UUID, UtilityLine]:
    return {line.participant_id: line for line in await repository.utility_lines(connection, START_S)}


async def test_utility_lines_of_revision_1_are_updated_and_others_stay(pool: Pool, campus: Campus) -> None:
    async with pool.acquire() as connection:
        lines = await _lines(connection)
        assert {participant: line.utility_wh for participant, line in lines.items()} == UTILITY_WH
        assert lines[BEN] == UtilityLine(BEN, Wh(-154), PriceMills(5000), Micros(-770_000))
        await connection.execute(
            "INSERT INTO utility_lines SELECT start_at, 2, participant_id, 1, 2, 3, quality FROM utility_lines"
        )
        await connection.execute(
            "INSERT INTO utility_lines SELECT $1, 1, participant_id, 4, 5, 6, quality FROM utility_lines "
            "WHERE revision = 1",
            at_s(LATER_S),
        )
        new = UtilityLine(ANNA, Wh(9), PriceMills(2201), Micros(19_809))
        await repository.update_utility_lines(connection, START_S, [new])
        assert await _lines(connection) == {
            ANNA: new,
            BEN: UtilityLine(BEN, Wh(0), PriceMills(5000), Micros(0)),
            CLEO: UtilityLine(CLEO, Wh(0), PriceMills(5000), Micros(0)),
        }
        others = await connection.fetch(
            "SELECT DISTINCT revision, utility_wh, tariff_mills, amount_micros FROM utility_lines "
            "WHERE NOT (start_at = $1 AND revision = 1)",
            at_s(START_S),
        )
        assert {tuple(row) for row in others} == {(2, 1, 2, 3), (1, 4, 5, 6)}


@pytest.mark.parametrize("quality", ["valid", "estimated", "suspect", "missing"])
async def test_energy_is_summed_over_meters_with_the_worst_quality(pool: Pool, campus: Campus, quality: str) -> None:
    await pool.execute(
        "UPDATE participants SET ask_limit_mills = 2345, bid_limit_mills = 3456 WHERE participant_id = $1", ANNA
    )
    await pool.execute("UPDATE interval_readings SET participant_id = $1 WHERE meter_id = 'METER_002'", ANNA)
    await pool.execute("UPDATE interval_readings SET quality = $1 WHERE meter_id = 'METER_002'", quality)
    async with pool.acquire() as connection:
        anna, cleo = await repository.metered_energy(connection, START_S)
    assert (anna.quality, anna.wallet) == (quality, campus.wallets[ANNA])
    energy = anna.metered
    assert (energy.participant_id, energy.import_wh, energy.export_wh) == (ANNA, 600, 1000)
    assert (energy.valid, energy.ask_limit_mills, energy.bid_limit_mills) == (quality == "valid", 2345, 3456)
    assert (cleo.quality, cleo.wallet, cleo.metered.valid) == ("valid", campus.wallets[CLEO], True)
    assert (cleo.metered.import_wh, cleo.metered.export_wh) == IMPORT_EXPORT["METER_003"]
    assert (cleo.metered.ask_limit_mills, cleo.metered.bid_limit_mills) == (None, None)


async def test_only_halts_that_last_are_open(pool: Pool, campus: Campus) -> None:
    await pool.execute(
        "INSERT INTO market_halts (start_at, halted_at, reason) VALUES ($1, $2, 'a rule')", at_s(START_S), at_s(LATER_S)
    )
    async with pool.acquire() as connection:
        (halt,) = await queries.open_halts(connection)
        assert tuple(halt) == (at_s(START_S), at_s(LATER_S), "a rule")
        await connection.execute("UPDATE market_halts SET over_at = halted_at")
        assert await queries.open_halts(connection) == []
