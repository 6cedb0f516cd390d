"""What stops clearing: a round's length, a day's debts, and a halted market, on a real database."""

import itertools

import pytest

from hub.clock import ManualClock, at_s
from hub.market.auction import repository
from hub.market.auction.invariants import MarketHaltedError
from hub.market.auction.residuals import UnsettledDebits
from hub.market.auction.service import clear_attested
from hub.postgres.db import Pool
from hub.postgres.lease import LeaseLostError
from hub.units import Micros
from support.rows.seed import BEN, START_S, Campus
from support.rows.site_rows import KnownFunds, add_rates, lead, lost_lease

INTERVAL_S = 900
NOW_S = START_S + 10 * INTERVAL_S
CLOCK = ManualClock(NOW_S * 1000)


async def attested(pool: Pool, intervals: int) -> Pool:
    """Adds rates and attested intervals in which nobody has a meter; returns the pool."""
    await add_rates(pool)
    starts = [at_s(START_S + n * INTERVAL_S) for n in range(intervals + 1)]
    await pool.executemany(
        "INSERT INTO intervals (start_at, end_at, state, attested_at) VALUES ($1, $2, 'attested', $2)",
        list(itertools.pairwise(starts)),
    )
    return pool


def breach(outcome: object) -> None:
    raise MarketHaltedError("a rule was broken")


async def test_a_round_clears_at_most_50_intervals(pool: Pool) -> None:
    await attested(pool, 51)
    lease, funds = await lead(pool), KnownFunds()
    assert len(await clear_attested(pool, lease, CLOCK, funds)) == 50
    (last,) = await clear_attested(pool, lease, CLOCK, funds)
    assert last.start_s == START_S + 50 * INTERVAL_S
    assert (last.price_mills, last.volume_wh, last.orders, last.trades) == (None, 0, 0, 0)
    assert funds.requests == []  # nobody can order, so the chain is not asked


@pytest.mark.parametrize(("seconds", "of_day"), [(-1, 0), (0, 1_470_500), (86_399, 1_470_500), (86_400, 0)])
async def test_a_day_of_debts_is_the_utc_day_of_the_start(
    pool: Pool, campus: Campus, seconds: int, of_day: int
) -> None:
    day_s = START_S - START_S % 86_400
    await pool.execute(
        "INSERT INTO intervals (start_at, end_at, state, attested_at) VALUES ($1, $2, 'attested', $2)",
        at_s(day_s - 900), at_s(day_s),
    )  # fmt: skip
    await pool.execute("UPDATE trades SET start_at = $1 WHERE buyer_id = $2", at_s(day_s + seconds), BEN)
    async with pool.acquire() as connection:
        debits = await repository.unsettled_debits(connection, START_S)
    assert debits == {BEN: UnsettledDebits(Micros(1_470_500), Micros(of_day))}


async def test_a_halt_lasts_until_the_interval_is_cleared(pool: Pool, monkeypatch: pytest.MonkeyPatch) -> None:
    reasons = iter(["first", "second", "third"])

    def breach_again(outcome: object) -> None:
        raise MarketHaltedError(next(reasons))

    async def halt() -> tuple[object, ...]:
        row = await pool.fetchrow("SELECT start_at, halted_at, reason, over_at FROM market_halts")
        assert row is not None
        return tuple(row)

    start = at_s(START_S)
    await attested(pool, 1)
    lease = await lead(pool)
    with monkeypatch.context() as broken:
        broken.setattr("hub.market.auction.invariants.check", breach_again)
        for seconds in (0, 1):
            with pytest.raises(MarketHaltedError):
                await clear_attested(pool, lease, ManualClock((NOW_S + seconds) * 1000), KnownFunds())
    assert await halt() == (start, at_s(NOW_S), "second", None)
    await clear_attested(pool, lease, ManualClock((NOW_S + 2) * 1000), KnownFunds())
    assert await halt() == (start, at_s(NOW_S), "second", at_s(NOW_S + 2))
    async with pool.acquire() as connection:
        await repository.record_halt(connection, START_S, next(reasons), (NOW_S + 3) * 1000)
    assert await halt() == (start, at_s(NOW_S + 3), "third", None)


async def test_a_leader_that_was_replaced_halts_nothing(pool: Pool, monkeypatch: pytest.MonkeyPatch) -> None:
    await attested(pool, 1)
    stale = await lost_lease(pool)
    monkeypatch.setattr("hub.market.auction.invariants.check", breach)
    with pytest.raises(LeaseLostError):
        await clear_attested(pool, stale, CLOCK, KnownFunds())
    assert await pool.fetchval("SELECT count(*) FROM market_halts") == 0
