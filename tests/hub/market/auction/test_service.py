"""Clearing on a real database: the worked example through the rows, unsettled debits, halts and kills."""

import json
from dataclasses import replace
from hashlib import sha256

import pytest
from structlog.testing import capture_logs

from hub.clock import ManualClock, at_ms, at_s
from hub.errors import ConfigError, PermanentError
from hub.market import repository as repository_of_market
from hub.market.auction import repository
from hub.market.auction.invariants import MarketHaltedError
from hub.market.auction.service import clear_attested
from hub.market.orders import Order, Rates, Trade
from hub.market.service import published_journal
from hub.metering.oracle import OracleConfig, attest_due
from hub.postgres.db import Connection, Pool
from hub.postgres.lease import LeaseLostError
from hub.units import Micros
from support.killed_calls import killed_after
from support.rivals import another_comes_first
from support.rows.site_rows import (
    ALWAYS,
    KnownFunds,
    add_coverage,
    add_interval_energy,
    add_meter,
    add_participant,
    add_rates,
    lead,
    lost_lease,
)
from support.rows.worked_example import AMPLE, ASK, BASE, BID, FORWARD, INTERVAL_S, START_S, A, B, C

CLOCK = ManualClock((START_S + 10 * INTERVAL_S) * 1000)
CONFIG = OracleConfig(INTERVAL_S, poll_period_s=60, grace_s=120, coverage=ALWAYS)
ENERGY = {A: (100, 1000), B: (500, 0), C: (800, 0)}


async def add_forward(pool: Pool, orders: tuple[Order, ...], trade: Trade) -> None:
    for order in orders:
        await pool.execute(
            "INSERT INTO orders VALUES ($1, $2, $3, 'limit', $4, $5, $6, $7, 'campus', $6)",
            order.order_id, at_s(order.start_s), order.participant_id, order.side.value, order.sequence, order.wh,
            order.limit_mills,
        )  # fmt: skip
    await pool.execute(
        "INSERT INTO trades VALUES ($1, $2, 'forward', $3, $4, $5, $6, 0, $7, $8, 'campus', $9)",
        trade.trade_id, at_s(trade.start_s), trade.seller_id, trade.buyer_id, trade.ask_order_id, trade.bid_order_id,
        trade.wh, trade.price_mills, at_s(trade.start_s - 60),
    )  # fmt: skip


@pytest.fixture
async def site(pool: Pool) -> Pool:
    """A, B and C with a meter each, and their energy of the worked example in the first interval."""
    await add_rates(pool)
    await add_coverage(pool)
    for person in (A, B, C):
        await add_participant(pool, person)
        await add_meter(pool, f"METER_{person.int:03}", person, expected_from_s=START_S)
        await add_interval_energy(pool, f"METER_{person.int:03}", START_S, INTERVAL_S, ENERGY[person])
    return pool


async def attested(pool: Pool, intervals: int = 1) -> None:
    await attest_due(pool, await lead(pool), CLOCK, CONFIG, limit=intervals)


async def test_the_worked_example_through_the_rows(site: Pool) -> None:
    await add_forward(site, (ASK, BID), FORWARD)
    await attested(site)
    funds = KnownFunds()
    (interval,) = await clear_attested(site, await lead(site), CLOCK, funds)
    assert (interval.price_mills, interval.volume_wh, interval.orders, interval.trades) == (4120, 400, 3, 2)
    assert funds.requests == [(frozenset({A, B, C}), START_S, START_S + INTERVAL_S)]
    sold = await site.fetch("SELECT seller_id, sum(wh)::int FROM trades WHERE kind = 'ex_post' GROUP BY 1")
    assert {tuple(row) for row in sold} == {(A, 300), (B, 100)}
    utility = await site.fetch("SELECT participant_id, utility_wh, amount_micros, quality, revision FROM utility_lines")
    assert {tuple(row) for row in utility} == {(p, wh, wh * 5000, "valid", 1) for p, wh in BASE.utility_wh.items()}
    clearing = await site.fetchrow("SELECT * FROM clearings")
    assert clearing is not None
    assert (clearing["price_low_mills"], clearing["price_high_mills"], len(clearing["journal_hash"])) == (
        4120,
        4120,
        32,
    )
    filled = await site.fetch("SELECT participant_id, wh, filled_wh FROM orders WHERE kind = 'residual'")
    assert {tuple(row) for row in filled} == {(A, 300, 300), (B, 100, 100), (C, 800, 400)}
    assert await site.fetchval("SELECT state FROM intervals") == "cleared"
    stored = await site.fetch("SELECT kind, created_at FROM orders WHERE kind = 'residual'")
    assert {tuple(row) for row in stored} == {("residual", at_ms(CLOCK.now_ms()))}
    announced = await site.fetchval("SELECT payload::text FROM outbox WHERE topic = 'clearing'")
    assert json.loads(announced) == {
        "start_at": "2026-06-01T10:00:00Z",
        "end_at": "2026-06-01T10:15:00Z",
        "price_mills": 4120,
        "volume_wh": 400,
        "trades": 2,
    }


async def test_the_journal_is_published_from_the_rows(site: Pool) -> None:
    await add_forward(site, (ASK, BID), FORWARD)
    await attested(site)
    async with site.acquire() as connection:
        with pytest.raises(PermanentError, match="not cleared"):
            await published_journal(connection, START_S)
        await clear_attested(site, await lead(site), CLOCK, KnownFunds())
        published = await published_journal(connection, START_S)
    assert sha256(published).digest() == await site.fetchval("SELECT journal_hash FROM clearings")
    assert FORWARD.trade_id in published


async def test_an_auction_sees_one_moment(site: Pool, monkeypatch: pytest.MonkeyPatch) -> None:
    """What another process commits while the input is read belongs to the next auction as a whole."""
    await attested(site)
    read_rates = repository_of_market.rates_at

    async def rates_then_a_change(connection: Connection, start_s: int) -> Rates:
        rates = await read_rates(connection, start_s)
        await site.execute("UPDATE participants SET ask_limit_mills = 4119 WHERE participant_id = $1", A)
        return rates

    monkeypatch.setattr(repository_of_market, "rates_at", rates_then_a_change)
    await clear_attested(site, await lead(site), CLOCK, KnownFunds())
    assert await site.fetchval("SELECT limit_mills FROM orders WHERE participant_id = $1", A) == 2200


async def test_an_interval_that_another_process_took_ends_the_round(site: Pool) -> None:
    await attested(site)
    with another_comes_first(repository, "take_attested"):
        assert await clear_attested(site, await lead(site), CLOCK, KnownFunds()) == []
    assert await site.fetchval("SELECT count(*) FROM orders") == 0


async def test_again_changes_nothing(site: Pool) -> None:
    await attested(site)
    lease = await lead(site)
    await clear_attested(site, lease, CLOCK, KnownFunds())
    assert await clear_attested(site, lease, CLOCK, KnownFunds()) == []


async def test_debts_of_intervals_that_are_not_closed_count(site: Pool) -> None:
    for person, energy in ENERGY.items():
        await add_interval_energy(site, f"METER_{person.int:03}", START_S + INTERVAL_S, INTERVAL_S, energy)
    # C's 800 Wh at most 4250: enough for the first interval, 200,000 micros short in the second
    lease, reserve = await lead(site), 2 * 800 * 4250 - 200_000
    funds = KnownFunds({A: AMPLE, B: AMPLE, C: replace(AMPLE, reserve_micros=Micros(reserve))})
    await attested(site, 2)
    await clear_attested(site, lease, CLOCK, funds, limit=1)
    async with site.acquire() as connection:
        unsettled = (await repository.unsettled_debits(connection, START_S + INTERVAL_S))[C]
    spent = await site.fetchval("SELECT sum(wh * (price_mills + 130))::bigint FROM trades WHERE buyer_id = $1", C)
    assert (unsettled.total_micros, unsettled.day_micros) == (spent, spent)
    await clear_attested(site, lease, CLOCK, funds, limit=1)
    bid_wh = await site.fetchval(
        "SELECT wh FROM orders WHERE start_at = $1 AND participant_id = $2", at_s(START_S + INTERVAL_S), C
    )
    assert bid_wh == min(800, (reserve - spent) // 4250)


async def test_settled_debts_do_not_count(site: Pool) -> None:
    await attested(site)
    await clear_attested(site, await lead(site), CLOCK, KnownFunds())
    async with site.acquire() as connection:
        assert set(await repository.unsettled_debits(connection, START_S)) == {B, C}
        await connection.execute("UPDATE intervals SET state = 'closed'")
        assert await repository.unsettled_debits(connection, START_S) == {}


async def test_without_wallet_one_is_metered_and_billed_only(site: Pool) -> None:
    await site.execute("UPDATE participants SET wallet = NULL WHERE participant_id = $1", C)
    await attested(site)
    funds = KnownFunds()
    await clear_attested(site, await lead(site), CLOCK, funds)
    assert funds.requests[0][0] == {A, B}
    assert await site.fetchval("SELECT utility_wh FROM utility_lines WHERE participant_id = $1", C) == -800


async def test_an_estimated_meter_keeps_its_owner_out(site: Pool) -> None:
    await add_meter(site, "METER_999", A, expected_from_s=START_S)
    await attested(site)
    await clear_attested(site, await lead(site), CLOCK, KnownFunds())
    assert await site.fetchval("SELECT count(*) FROM orders WHERE participant_id = $1", A) == 0
    line = await site.fetchrow("SELECT utility_wh, quality FROM utility_lines WHERE participant_id = $1", A)
    assert line is not None and tuple(line) == (900, "missing")


async def test_clearing_uses_revision_1(site: Pool) -> None:
    await attested(site)
    await site.execute(
        "INSERT INTO attestations SELECT start_at, 2, merkle_root, 3, 0, 9, 9, attested_at FROM attestations"
    )
    await site.execute(
        """
        INSERT INTO interval_readings (start_at, revision, meter_id, participant_id, leaf_index, import_wh, export_wh,
                                       quality, blinding)
        SELECT start_at, 2, meter_id, participant_id, leaf_index, import_wh + 5, export_wh + 9, 'valid', blinding
        FROM interval_readings
        """
    )
    (interval,) = await clear_attested(site, await lead(site), CLOCK, KnownFunds())
    assert interval.volume_wh == 900
    assert await site.fetchval("SELECT sum(utility_wh) FROM utility_lines") == 1000 - 1400


async def test_the_rates_in_force_at_the_start_count(site: Pool) -> None:
    await add_rates(site, START_S + 1, wheeling_mills=4000)
    await attested(site)
    (interval,) = await clear_attested(site, await lead(site), CLOCK, KnownFunds())
    assert interval.price_mills == 4120


async def test_without_rates_it_says_what_is_missing(site: Pool) -> None:
    await site.execute("DELETE FROM rates")
    await attested(site)
    with pytest.raises(ConfigError, match="the worker copies it"):
        await clear_attested(site, await lead(site), CLOCK, KnownFunds())


async def test_a_breach_halts_and_nothing_is_stored(site: Pool, monkeypatch: pytest.MonkeyPatch) -> None:
    def breach(outcome: object) -> None:
        raise MarketHaltedError("a rule was broken")

    await attested(site)
    monkeypatch.setattr("hub.market.auction.invariants.check", breach)
    lease = await lead(site)
    with capture_logs() as logged, pytest.raises(MarketHaltedError):
        await clear_attested(site, lease, CLOCK, KnownFunds())
    assert await site.fetchval("SELECT state FROM intervals") == "attested"
    for table in ("orders", "trades", "clearings", "utility_lines"):
        assert await site.fetchval(f"SELECT count(*) FROM {table}") == 0  # noqa: S608 (names from the line above)
    assert logged == [
        {
            "event": "market halted",
            "log_level": "critical",
            "start_at": "2026-06-01T10:00:00Z",
            "code": "market_halted",
            "reason": "a rule was broken",
        }
    ]


async def test_a_leader_that_was_replaced_writes_nothing(site: Pool) -> None:
    await attested(site)
    stale = await lost_lease(site)
    with pytest.raises(LeaseLostError):
        await clear_attested(site, stale, CLOCK, KnownFunds())
    assert await site.fetchval("SELECT state FROM intervals") == "attested"


@pytest.mark.parametrize("step", ["take_attested", "_insert_orders", "_insert_trades", "insert_outcome"])
async def test_killed_between_two_writes_leaves_nothing(site: Pool, step: str) -> None:
    await attested(site)
    lease = await lead(site)
    with killed_after(repository, step):
        await clear_attested(site, lease, CLOCK, KnownFunds())
    assert await site.fetchval("SELECT count(*) FROM orders") == 0
    assert await site.fetchval("SELECT state FROM intervals") == "attested"
    assert len(await clear_attested(site, lease, CLOCK, KnownFunds())) == 1
