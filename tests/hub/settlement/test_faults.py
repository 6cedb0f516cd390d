"""Every fault of an RPC node while intervals settle: never two debits, and reconciled in the end without a hand.

One random mixture of them as a rule; PEERWATT_MIXTURES=20 makes it twenty (`make test-crash`).
"""

import asyncio
import contextlib
import os
import random
from collections.abc import AsyncIterator
from dataclasses import replace

import pytest
from solders.compute_budget import set_compute_unit_price
from solders.transaction import Transaction

from hub.chain import quorum
from hub.chain.errors import NodesDisagreeError
from hub.chain.programs import PROGRAM_IDS, idl
from hub.clock import SystemClock
from hub.settlement.deferred import DeferredIntervals
from hub.settlement.fees import Fees
from hub.settlement.reconcile import compare_all, reconcile_due
from hub.settlement.steps import executor
from hub.settlement.steps.executor import StepRefusedError
from support.rows.site_rows import lead
from support.servers.faulty_node import Call, Fault, FaultyNode, Reply, Result, faulty_node
from support.servers.ledger import LedgerProcess
from support.servers.nodes import SettlingNode
from support.servers.rpc_faults import (
    SEND,
    AsksFees,
    Claims,
    Doubles,
    Drops,
    ForgetsWhatItKnows,
    Hangs,
    Hides,
    Holds,
    Lags,
    Races,
    Refuses,
    RefusesToRun,
)
from support.settlement.campus import ENERGY, SettlingCampus
from support.settlement.settled_once import Watched, watched

MIXTURES = int(os.environ.get("PEERWATT_MIXTURES", "1"))
LATER_S = 70
"""More than a blockhash lives."""
ONCE = {"finalized": 5}
"""attest, mint, open, settle and close, each signed once."""


@pytest.fixture
def upstream_url(settling_node: SettlingNode) -> str:
    return settling_node.url


@pytest.fixture
async def alone(campus: SettlingCampus, first: FaultyNode) -> AsyncIterator[Watched]:
    """Behind one node."""
    async with watched(campus, first.url) as seen:
        yield seen


@pytest.fixture
async def both(campus: SettlingCampus, first: FaultyNode, second: FaultyNode) -> AsyncIterator[Watched]:
    """Behind two."""
    async with watched(campus, first.url, second.url) as seen:
        yield seen


PASSING: dict[str, Fault] = {
    "dropped": Drops(times=2),
    "both copies land": Doubles(),
    "429": Refuses(times=2, status=429, headers="retry-after: 1\r\n"),
    "500": Refuses(times=4, status=500),
    "no answer": Hangs(times=1),
    "garbage": Refuses(times=4, status=200, body=b"<html>"),
    "sending refused": Refuses(times=4, status=500, method=SEND),
    "lags": Lags(times=40),
    "forgets": ForgetsWhatItKnows(times=20),
}


@pytest.mark.parametrize("fault", PASSING.values(), ids=PASSING)
async def test_a_fault_that_passes_costs_nothing_but_time(alone: Watched, first: FaultyNode, fault: Fault) -> None:
    start = await alone.campus.interval(ENERGY)
    first.faults = [fault]
    await alone.settle_until_closed([start])
    assert await alone.transactions() == ONCE
    await alone.reconciled_to_the_micro([start])


async def test_a_transaction_that_comes_late_does_not_count_beside_its_successor(
    lone_campus: SettlingCampus, lone_ledger: LedgerProcess
) -> None:
    async with faulty_node(lone_ledger.url) as node, watched(lone_campus, node.url) as seen:
        start = await seen.campus.interval(ENERGY)
        held = Holds(times=1)
        node.faults = [_of_kind(held, at=3), _drops_after(held)]
        settling = asyncio.create_task(seen.settle_until_closed([start]))
        await asyncio.wait_for(held.holding.wait(), 60)
        assert await seen.transactions() == {"confirmed": 3, "submitted": 1}
        lone_ledger.go_on_later(LATER_S)
        node.faults = []
        await settling
        await held.release()
        assert await seen.transactions() == {"expired": 1, "finalized": 5}
        await seen.reconciled_to_the_micro([start])
        assert (await compare_all(seen.campus.pool, seen.truth)).differences == []


def _of_kind(held: Holds, at: int) -> Fault:
    """Lets so many transactions pass before it holds one."""
    passed = 0

    async def fault(call: Call) -> Result | Reply | None:
        nonlocal passed
        passed += call.method == SEND
        return await held(call) if passed > at else None

    return fault


def _drops_after(held: Holds) -> Fault:
    drops = Drops()

    async def fault(call: Call) -> Result | Reply | None:
        return await drops(call) if held.holding.is_set() else None

    return fault


async def test_nothing_is_signed_anew_on_the_word_of_a_node_that_races_ahead(
    both: Watched, first: FaultyNode, second: FaultyNode
) -> None:
    """It says that all has expired, while the transaction is still on its way to the other."""
    start = await both.campus.interval(ENERGY)
    held = Holds()
    first.faults, second.faults = [Races(), Drops()], [held]
    settling = asyncio.create_task(both.settle_round())
    await asyncio.wait_for(held.holding.wait(), 60)
    for _ in range(5):
        seen = first.calls["getEpochInfo"]
        while first.calls["getEpochInfo"] == seen:  # noqa: ASYNC110 - the node counts its calls in this loop
            await asyncio.sleep(0.01)
    assert await both.transactions() == {"submitted": 1}
    await held.release()
    first.faults, second.faults = [], []
    await settling
    await both.settle_until_closed([start])
    assert await both.transactions() == ONCE
    await both.reconciled_to_the_micro([start])


@pytest.mark.parametrize("liar", [0, 1])
async def test_one_node_that_lies_about_finality_closes_nothing(
    both: Watched, first: FaultyNode, second: FaultyNode, monkeypatch: pytest.MonkeyPatch, liar: int
) -> None:
    monkeypatch.setattr(executor, "PATIENCE_S", 2)
    start = await both.campus.interval(ENERGY)
    nodes, drops = (first, second), Drops()
    nodes[liar].faults = [Claims(), drops]
    nodes[1 - liar].faults = [drops]
    submitter = await both.campus.submitter()
    assert await submitter.settle_due() == []
    error = submitter.deferred.errors[start]
    assert isinstance(error, NodesDisagreeError), error
    assert f"{both.campus.chain.nodes[liar].name} says finalized in slot 7" in str(error)
    assert f"{both.campus.chain.nodes[1 - liar].name} does not know it" in str(error)
    assert not await both.closed([start])
    assert "finalized" not in await both.transactions()
    first.faults = second.faults = []
    await both.settle_until_closed([start])
    assert await both.transactions() == ONCE
    await both.reconciled_to_the_micro([start])


async def test_one_node_that_tells_of_a_failure_makes_nothing_be_signed_anew(
    both: Watched, first: FaultyNode, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(executor, "PATIENCE_S", 2)
    start = await both.campus.interval(ENERGY)
    first.faults = [Claims(error="AccountInUse")]
    await both.settle_round()
    assert await both.transactions() in ({"submitted": 1}, {"confirmed": 1})
    first.faults = []
    await both.settle_until_closed([start])
    assert await both.transactions() == ONCE
    await both.reconciled_to_the_micro([start])


async def test_a_confirmed_block_that_is_abandoned(alone: Watched, first: FaultyNode) -> None:
    start = await alone.campus.interval(ENERGY)
    claims, drops = Claims(times=1, level="confirmed"), Drops(times=1)
    first.faults = [claims, drops]
    await alone.settle_until_closed([start])
    assert claims.times < 0 and drops.times < 0
    assert await alone.transactions() == ONCE
    await alone.reconciled_to_the_micro([start])


async def test_with_one_of_two_nodes_away_steps_go_on_and_nothing_closes(
    both: Watched, second: FaultyNode, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(executor, "PATIENCE_S", 4)
    start = await both.campus.interval(ENERGY)
    second.faults = [Refuses(status=500)]
    for _ in range(3):
        await both.settle_round()
    assert await both.transactions() == {"confirmed": 5}
    second.faults = []
    await both.settle_until_closed([start])
    assert await both.transactions() == ONCE
    await both.reconciled_to_the_micro([start])


async def test_what_one_node_alone_shows_as_done_closes_nothing(both: Watched, second: FaultyNode) -> None:
    start = await both.campus.interval(ENERGY)
    await both.settle_until_closed([start])
    await both.campus.pool.execute("UPDATE settlement_steps SET state = 'planned', signature = NULL")
    await both.campus.pool.execute("UPDATE intervals SET state = 'settling'")
    second.faults = [Hides()]
    for _ in range(2):
        await both.settle_round()
        assert not await both.closed([start])
    second.faults = []
    await both.settle_until_closed([start])
    assert await both.transactions() == ONCE
    await both.reconciled_to_the_micro([start])


async def test_trades_are_not_released_by_the_clock_of_a_node_alone(alone: Watched, first: FaultyNode) -> None:
    """It says that the interval's twelve hours are over."""
    start = await alone.campus.interval(ENERGY)
    (too_late,) = [error.code for error in idl("trading").errors or [] if error.name == "TooLate"]
    first.faults = [RefusesToRun(passing=2, program=str(PROGRAM_IDS["trading"]), number=too_late)]
    submitter = await alone.campus.submitter()
    assert await submitter.settle_due() == []
    error = submitter.deferred.errors[start]
    assert isinstance(error, StepRefusedError) and error.refusal == "TooLate"
    assert await alone.campus.pool.fetchval("SELECT sum(wh) FROM trades") == 1000
    first.faults = []
    await alone.settle_until_closed([start])
    await alone.reconciled_to_the_micro([start])


@pytest.mark.parametrize("liar", [0, 1])
async def test_nothing_is_reconciled_by_one_node_alone(
    both: Watched, first: FaultyNode, second: FaultyNode, monkeypatch: pytest.MonkeyPatch, liar: int
) -> None:
    monkeypatch.setattr(quorum, "PAUSE_S", 0)
    start = await both.campus.interval(ENERGY)
    await both.settle_until_closed([start])
    (first, second)[liar].faults = [Hides()]
    deferred, lease, pool = DeferredIntervals(), await lead(both.campus.pool), both.campus.pool
    assert await reconcile_due(pool, lease, SystemClock(), both.campus.chain, deferred=deferred) == []
    assert isinstance(deferred.errors[start], NodesDisagreeError)
    assert await pool.fetchval("SELECT reconcile_report FROM settlements") is None
    first.faults = second.faults = []
    await both.reconciled_to_the_micro([start])


@pytest.mark.parametrize(("asked", "offered"), [(0, 10), (500, 500), (10**9, 2000)])
async def test_a_fee_spike_is_followed_up_to_the_cap(
    alone: Watched, first: FaultyNode, capsys: pytest.CaptureFixture[str], asked: int, offered: int
) -> None:
    start = await alone.campus.interval(ENERGY)
    first.faults = [AsksFees(micro_lamports=asked)]
    submitter = replace(await alone.campus.submitter(), fees=Fees(10, 2000))
    assert await submitter.settle_due() == [start]
    price = bytes(set_compute_unit_price(offered).data)
    for row in await alone.campus.pool.fetch("SELECT raw FROM blockchain_transactions"):
        assert price in [bytes(one.data) for one in Transaction.from_bytes(row["raw"]).message.instructions]
    assert ("fees are above the cap" in capsys.readouterr().out) is (asked > 2000)


@pytest.mark.parametrize("seed", range(MIXTURES))
async def test_a_mixture_of_faults_over_several_intervals(
    lone_campus: SettlingCampus, lone_ledger: LedgerProcess, seed: int
) -> None:
    dice = random.Random(seed)
    url = lone_ledger.url
    async with faulty_node(url) as one, faulty_node(url) as other, watched(lone_campus, one.url, other.url) as seen:
        starts = [await seen.campus.interval(ENERGY) for _ in range(3)]
        raging = asyncio.create_task(_rage(dice, [one, other]))
        try:
            async with asyncio.timeout(8):
                await seen.settle_until_closed(starts)
        except TimeoutError:
            pass
        finally:
            raging.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await raging
        one.faults = other.faults = []
        await seen.settle_until_closed(starts)
        await seen.reconciled_to_the_micro(starts)
        assert (await compare_all(seen.campus.pool, seen.truth)).differences == []
        assert set(await seen.transactions()) <= {"finalized", "failed", "expired"}


async def _rage(dice: random.Random, nodes: list[FaultyNode]) -> None:
    """Each few calls another fault, on either node."""
    while True:
        node = dice.choice(nodes)
        times = dice.randint(1, 6)
        node.faults = [
            dice.choice(
                (
                    Drops(times),
                    Doubles(times),
                    Refuses(times, status=429),
                    Refuses(times, status=500),
                    Refuses(times, status=200, body=b"{}"),
                    Hangs(1),
                    Lags(times),
                    ForgetsWhatItKnows(times),
                    Races(times),
                    Claims(times),
                    Claims(times, level="confirmed"),
                    Claims(times, error="AccountInUse"),
                )
            )
        ]
        seen = sum(node.calls.values())
        for _ in range(200):
            if sum(node.calls.values()) >= seen + times:
                break
            await asyncio.sleep(0.01)
