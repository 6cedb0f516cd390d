"""An outage of the chain: clearing and planning go on meanwhile, and everything settles afterwards."""

from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest

from hub.chain.client import ChainClient
from hub.chain.errors import ChainUnreachableError
from hub.clock import SystemClock
from hub.market.funds import ParticipantFunds
from hub.metering.oracle import OracleConfig, attest_due
from hub.postgres.db import Pool
from hub.settlement.cached_funds import FundsCache, certain_funds
from hub.settlement.reconcile import compare_all
from hub.units import Micros, PriceMills, Wh
from support.rows.site_rows import ALWAYS, lead
from support.servers.ledger import LedgerProcess
from support.settlement.campus import ENERGY, INTERVAL_S, SettlingCampus
from support.settlement.rounds import Rounds


@pytest.fixture
async def rounds(pool: Pool, lone_ledger: LedgerProcess, tmp_path: Path) -> AsyncIterator[Rounds]:
    async with ChainClient(lone_ledger.url, timeout_s=1) as chain:
        yield Rounds.of(pool, chain, tmp_path)


async def attested(campus: SettlingCampus) -> int:
    """Lets an interval pass and attests it; returns its start."""
    start_s = await campus.pass_interval(ENERGY)
    oracle = OracleConfig(INTERVAL_S, INTERVAL_S, 0, coverage=ALWAYS)
    assert len(await attest_due(campus.pool, await lead(campus.pool), SystemClock(), oracle, limit=1)) == 1
    return start_s


async def states(pool: Pool) -> list[str]:
    return [row["state"] for row in await pool.fetch("SELECT state FROM intervals ORDER BY start_at")]


async def test_clearing_goes_on_while_the_chain_is_away(
    rounds: Rounds, lone_campus: SettlingCampus, lone_ledger: LedgerProcess
) -> None:
    pool, port = rounds.pool, int(lone_ledger.url.rsplit(":", 1)[1])
    await attested(lone_campus)
    await rounds.run(rounds.market)
    await rounds.run(rounds.settlement)
    await rounds.run(rounds.reconcile)
    assert await states(pool) == ["reconciled"]

    lone_ledger.kill()
    for _ in range(2):
        await attested(lone_campus)
        await rounds.run(rounds.market)
    with pytest.raises(ChainUnreachableError):
        await rounds.run(rounds.settlement)
    assert await states(pool) == ["reconciled", "planned", "planned"]
    assert [row["wh"] for row in await pool.fetch("SELECT sum(wh) AS wh FROM trades GROUP BY start_at")] == [1000] * 3

    lone_ledger.start(port=port)
    async with ChainClient(lone_ledger.url) as back:
        rounds = rounds.on(back)
        await rounds.run(rounds.settlement)
        await rounds.run(rounds.reconcile)
        assert await states(pool) == ["reconciled"] * 3
        assert (await compare_all(pool, back)).differences == []


async def test_without_having_seen_the_chain_nothing_is_cleared(
    rounds: Rounds, lone_campus: SettlingCampus, lone_ledger: LedgerProcess
) -> None:
    """A worker that was started while the chain does not answer knows no funds."""
    await attested(lone_campus)
    lone_ledger.kill()
    with pytest.raises(ChainUnreachableError):
        await rounds.run(rounds.market)
    assert await states(rounds.pool) == ["attested"]


async def test_what_was_seen_too_long_ago_counts_no_more(
    rounds: Rounds, lone_campus: SettlingCampus, lone_ledger: LedgerProcess
) -> None:
    await attested(lone_campus)
    await rounds.run(rounds.market)
    lone_ledger.kill()
    await attested(lone_campus)
    too_old_ms = rounds.market.clock.now_ms() - 13 * 3_600_000
    accounts = {wallet: (account, too_old_ms) for wallet, (account, _) in rounds.market.funds_cache.accounts.items()}
    with pytest.raises(ChainUnreachableError):
        await rounds.run(replace(rounds.market, funds_cache=FundsCache(accounts)))
    await rounds.run(rounds.market)
    assert await states(rounds.pool) == ["planned", "planned"]


@pytest.mark.parametrize(("balance", "debited", "left"), [(900, 0, 500), (300, 0, 300), (900, 200, 300), (900, 600, 0)])
def test_sure_is_what_can_not_be_withdrawn_and_was_not_settled(balance: int, debited: int, left: int) -> None:
    prices = PriceMills(5000), PriceMills(2200)
    funds = ParticipantFunds(Micros(balance), Micros(500), *prices, Wh(1), Micros(1), Micros(1), Micros(40))
    certain = certain_funds(funds, debited)
    assert (certain.balance_micros, certain.day_debit_micros) == (left, 40 + debited)
