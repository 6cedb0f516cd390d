"""An interval waits when a payer's money is the open credit of another settlement, until that settlement closes."""

from collections.abc import AsyncIterator, Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from hub.chain import pdas, setup
from hub.chain.bootstrap import Bootstrap
from hub.chain.client import ChainClient
from hub.clock import ManualClock
from hub.errors import PermanentError, RetryableError
from hub.postgres.db import Pool
from hub.settlement import onchain
from hub.settlement.deferred import RETRY_MS
from hub.settlement.steps.executor import StepRefusedError
from hub.settlement.submitter import Submitter
from support.servers.ledger import LedgerProcess, running_ledger
from support.settlement.campus import ENERGY, INTERVAL_S, RATES, SettlingCampus, trader_of, wallet_of
from support.waiting import eventually

DEPOSIT_MICROS = 1_000
DAY_MS = 24 * 3_600_000


@pytest.fixture
def new_ledger(tmp_path: Path) -> Iterator[tuple[LedgerProcess, Bootstrap]]:
    """A ledger on which nobody has an account yet, and its keys."""
    keys = Bootstrap.random()
    with running_ledger(tmp_path / "new", keys) as ledger:
        yield ledger, keys


@pytest.fixture
async def poor_campus(pool: Pool, new_ledger: tuple[LedgerProcess, Bootstrap]) -> AsyncIterator[SettlingCampus]:
    """A campus whose first participant has almost no money except what they earn by selling."""
    ledger, keys = new_ledger
    async with ChainClient(ledger.url) as chain:
        await setup.ensure_genesis(chain, keys, rates=RATES, interval_s=INTERVAL_S)
        trader = trader_of(wallet_of(SettlingCampus.person(0)))
        await setup.ensure_traders(chain, keys, [replace(trader, deposit_micros=DEPOSIT_MICROS)])
        yield await SettlingCampus.create(pool, chain, keys, len(ENERGY))


async def check_it_waits(submitter: Submitter, start_s: int) -> None:
    assert await submitter.settle_due(limit=1) == []
    error = submitter.deferred.errors[start_s]
    assert isinstance(error, StepRefusedError)
    assert error.refusal == "CreditOpen"
    assert not isinstance(error, PermanentError)


async def wait_until_opened(campus: SettlingCampus, start_s: int) -> None:
    async def is_open() -> bool:
        return await onchain.read_settlement(campus.chain, start_s) is not None

    await eventually(is_open, what="an open settlement")


async def test_who_pays_with_an_open_credit_waits_for_its_close(poor_campus: SettlingCampus) -> None:
    campus = poor_campus
    first = await campus.interval(ENERGY)
    clock = ManualClock(first * 1000 + 2 * DAY_MS)
    submitter = replace(await campus.submitter(), clock=clock)
    # the first settlement is complete except for its close
    await campus.pool.execute("DELETE FROM settlement_steps WHERE kind = 'close'")
    assert await submitter.settle_due(limit=1) == [first]
    await campus.pool.execute("UPDATE intervals SET state = 'settling'")
    await campus.pool.execute(
        "INSERT INTO settlement_steps (start_at, kind, state) SELECT start_at, 'close', 'planned' FROM intervals"
    )
    submitter.deferred.defer(first, RetryableError("held by this test"), clock)
    second = await campus.interval((-100, 0, 100, 0, 0))
    debit = "SELECT debit_micros FROM settlement_lines WHERE extract(epoch FROM start_at) = $1 AND debit_micros > 0"
    assert await campus.pool.fetchval(debit, second) > DEPOSIT_MICROS
    await check_it_waits(submitter, second)
    await wait_until_opened(campus, second)
    # so late that a settlement whose step is refused for good would be aborted
    clock.advance(RETRY_MS)
    submitter.deferred.defer(first, RetryableError("held by this test"), clock)
    await check_it_waits(submitter, second)
    assert (await onchain.read_settlement(campus.chain, second)).status == onchain.OPEN
    clock.advance(RETRY_MS)
    assert await submitter.settle_due() == [first, second]
    account = await campus.chain.account("trading", "Account", pdas.account(wallet_of(campus.people[0]).pubkey()))
    assert account.balance_micros > DEPOSIT_MICROS
