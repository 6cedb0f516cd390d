"""A rival takes over in the middle of a leader's work: the leader that was replaced writes nothing any more."""

from collections.abc import Awaitable, Callable
from types import SimpleNamespace
from typing import Any

import pytest

from hub.chain.transactions import SignedTransaction
from hub.postgres.db import Pool
from hub.postgres.lease import LeaseLostError
from hub.settlement import abort, onchain, reconcile
from hub.settlement.reconcile import IntervalComparison, reconcile_due
from hub.settlement.steps.executor import StepExecutor
from hub.settlement.submitter import Submitter
from support.rows.site_rows import end_leases, lead
from support.rows.worked_example import INTERVAL_S, START_S

NOW_MS = (START_S + 10 * INTERVAL_S) * 1000


async def takes_over(pool: Pool) -> None:
    await end_leases(pool)
    await lead(pool, "rival")


@pytest.fixture
def steps_end(monkeypatch: pytest.MonkeyPatch) -> Callable[[Callable[[], Awaitable[None]]], None]:
    """Replaces the steps on the chain by what the test does meanwhile."""

    def ends(meanwhile: Callable[[], Awaitable[None]]) -> None:
        async def run(_: StepExecutor) -> None:
            await meanwhile()

        monkeypatch.setattr(StepExecutor, "run", run)

    return ends


async def rows_of(pool: Pool) -> list[Any]:
    """Returns what a submitter may write: trades, states of intervals and steps, events."""
    tables = ("trades", "released_trades", "settlement_steps", "intervals", "blockchain_transactions", "outbox")
    return [[tuple(row) for row in await pool.fetch(f"SELECT * FROM {name} ORDER BY 1, 2")] for name in tables]  # noqa: S608


async def test_it_releases_no_trades(submitter: Submitter, steps_end: Any) -> None:
    async def replaced_when_too_late() -> None:
        await takes_over(submitter.pool)
        raise onchain.TooLateError("too late to open")

    steps_end(replaced_when_too_late)
    before = await rows_of(submitter.pool)
    with pytest.raises(LeaseLostError):
        await submitter.settle_due()
    assert await rows_of(submitter.pool) == before
    assert len(before[0]) == 2


async def test_a_leader_does_release_them(submitter: Submitter, steps_end: Any) -> None:
    """The same, and nobody has taken over."""

    async def too_late() -> None:
        raise onchain.TooLateError("too late to open")

    steps_end(too_late)
    assert await submitter.settle_due(limit=1) == []
    trades, released, *_ = await rows_of(submitter.pool)
    assert (len(trades), len(released)) == (0, 2)


async def test_it_aborts_and_returns_nothing(
    submitter: Submitter, steps_end: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What was aborted is the successor's to return."""

    async def returned(*_: object) -> None:
        raise AssertionError("a leader that was replaced returns lines")

    async def replaced_when_aborted() -> None:
        await takes_over(submitter.pool)
        raise onchain.AbortedError(START_S, settlement)

    monkeypatch.setattr(abort, "abort_and_return", returned)
    settlement = SimpleNamespace(closed_at_s=START_S + 3 * 86_400, cursor=3)
    steps_end(replaced_when_aborted)
    before = await rows_of(submitter.pool)
    with pytest.raises(LeaseLostError):
        await submitter.settle_due()
    assert await rows_of(submitter.pool) == before


async def test_it_closes_nothing(submitter: Submitter, steps_end: Any) -> None:
    async def replaced() -> None:
        await submitter.pool.execute("UPDATE settlement_steps SET state = 'finalized'")
        await takes_over(submitter.pool)

    steps_end(replaced)
    with pytest.raises(LeaseLostError):
        await submitter.settle_due()
    assert await submitter.pool.fetchval("SELECT count(*) FROM intervals WHERE state = 'planned'") == 2


@pytest.mark.parametrize("done", [True, False])
async def test_it_records_and_sends_no_step(
    submitter: Submitter, monkeypatch: pytest.MonkeyPatch, *, done: bool
) -> None:
    """It is replaced while it asks the chain whether a step is done, and while it signs."""

    async def replaced(*_: object) -> bool:
        await takes_over(submitter.pool)
        return done

    async def sign(*_: object, **__: object) -> SignedTransaction:
        return SignedTransaction(submitter.keys.fee_payer.sign_message(b"a step"), b"raw", 1, 1)

    async def send(*_: object, **__: object) -> None:
        raise AssertionError("a leader that was replaced sends")

    monkeypatch.setattr(onchain, "is_done", replaced)
    monkeypatch.setattr(submitter.chain, "prepare", sign)
    monkeypatch.setattr(submitter.chain, "send", send)
    before = await rows_of(submitter.pool)
    with pytest.raises(LeaseLostError):
        await submitter.settle_due()
    assert await rows_of(submitter.pool) == before


async def test_it_reconciles_nothing(submitter: Submitter, monkeypatch: pytest.MonkeyPatch) -> None:
    pool = submitter.pool
    await pool.execute("UPDATE intervals SET state = 'closed'")

    async def replaced(*_: object) -> IntervalComparison:
        await takes_over(pool)
        return IntervalComparison([])

    monkeypatch.setattr(reconcile, "_compare", replaced)
    with pytest.raises(LeaseLostError):
        await reconcile_due(pool, submitter.lease, submitter.clock, submitter.chain)
    assert await pool.fetchval("SELECT count(*) FROM intervals WHERE state = 'closed'") == 2
    assert await pool.fetchval("SELECT count(reconcile_report) FROM settlements") == 0
