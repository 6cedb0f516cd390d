"""Every fault of an RPC node while intervals settle: nobody is debited twice, and all intervals are reconciled.

It runs one random mixture of faults; PEERWATT_MIXTURES=20 makes it twenty (`make test-crash`).
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
from hub.settlement.fees import PriorityFees
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
from support.settlement.settled_once import WatchedCampus, watch_campus

MIXTURES = int(os.environ.get("PEERWATT_MIXTURES", "1"))
LATER_S = 70
"""Longer than a blockhash is valid."""
EACH_STEP_ONCE = {"finalized": 5}
"""attest, mint, open, settle and close, each signed once."""


@pytest.fixture
def upstream_url(settling_node: SettlingNode) -> str:
    return settling_node.url


@pytest.fixture
async def alone(campus: SettlingCampus, first: FaultyNode) -> AsyncIterator[WatchedCampus]:
    """A campus that settles through one node."""
    async with watch_campus(campus, first.url) as watched:
        yield watched


@pytest.fixture
async def both(campus: SettlingCampus, first: FaultyNode, second: FaultyNode) -> AsyncIterator[WatchedCampus]:
    """A campus that settles through two nodes."""
    async with watch_campus(campus, first.url, second.url) as watched:
        yield watched


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
async def test_a_fault_that_passes_costs_nothing_but_time(
    alone: WatchedCampus, first: FaultyNode, fault: Fault
) -> None:
    start_s = await alone.campus.interval(ENERGY)
    first.faults = [fault]
    await alone.settle_until_closed([start_s])
    assert await alone.transactions() == EACH_STEP_ONCE
    await alone.check_reconciled([start_s])


async def test_a_transaction_that_comes_late_does_not_count_beside_its_successor(
    lone_campus: SettlingCampus, lone_ledger: LedgerProcess
) -> None:
    async with faulty_node(lone_ledger.url) as node, watch_campus(lone_campus, node.url) as watched:
        start_s = await watched.campus.interval(ENERGY)
        held = Holds(times=1)
        node.faults = [_of_kind(held, at=3), _drops_after(held)]
        settling = asyncio.create_task(watched.settle_until_closed([start_s]))
        await asyncio.wait_for(held.holding.wait(), 60)
        assert await watched.transactions() == {"confirmed": 3, "submitted": 1}
        lone_ledger.go_on_later(LATER_S)
        node.faults = []
        await settling
        await held.release()
        assert await watched.transactions() == {"expired": 1, "finalized": 5}
        await watched.check_reconciled([start_s])
        assert (await compare_all(watched.campus.pool, watched.ledger)).differences == []


def _of_kind(held: Holds, at: int) -> Fault:
    """Lets ``at`` transactions pass, then holds one."""
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
    both: WatchedCampus, first: FaultyNode, second: FaultyNode
) -> None:
    """The node says that the transaction has expired, while it is still on its way to the other node."""
    start_s = await both.campus.interval(ENERGY)
    held = Holds()
    first.faults, second.faults = [Races(), Drops()], [held]
    settling = asyncio.create_task(both.settle_round())
    await asyncio.wait_for(held.holding.wait(), 60)
    for _ in range(5):
        calls = first.calls["getEpochInfo"]
        while first.calls["getEpochInfo"] == calls:  # noqa: ASYNC110 - the node counts its calls in this loop
            await asyncio.sleep(0.01)
    assert await both.transactions() == {"submitted": 1}
    await held.release()
    first.faults, second.faults = [], []
    await settling
    await both.settle_until_closed([start_s])
    assert await both.transactions() == EACH_STEP_ONCE
    await both.check_reconciled([start_s])


@pytest.mark.parametrize("liar", [0, 1])
async def test_one_node_that_lies_about_finality_closes_nothing(
    both: WatchedCampus, first: FaultyNode, second: FaultyNode, monkeypatch: pytest.MonkeyPatch, liar: int
) -> None:
    monkeypatch.setattr(executor, "TIME_LIMIT_S", 2)
    start_s = await both.campus.interval(ENERGY)
    nodes, drops = (first, second), Drops()
    nodes[liar].faults = [Claims(), drops]
    nodes[1 - liar].faults = [drops]
    submitter = await both.campus.submitter()
    assert await submitter.settle_due() == []
    error = submitter.deferred.errors[start_s]
    assert isinstance(error, NodesDisagreeError), error
    assert f"{both.campus.chain.nodes[liar].name} says finalized in slot 7" in str(error)
    assert f"{both.campus.chain.nodes[1 - liar].name} does not know it" in str(error)
    assert not await both.closed([start_s])
    assert "finalized" not in await both.transactions()
    first.faults = second.faults = []
    await both.settle_until_closed([start_s])
    assert await both.transactions() == EACH_STEP_ONCE
    await both.check_reconciled([start_s])


async def test_one_node_that_tells_of_a_failure_makes_nothing_be_signed_anew(
    both: WatchedCampus, first: FaultyNode, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(executor, "TIME_LIMIT_S", 2)
    start_s = await both.campus.interval(ENERGY)
    first.faults = [Claims(error="AccountInUse")]
    await both.settle_round()
    assert await both.transactions() in ({"submitted": 1}, {"confirmed": 1})
    first.faults = []
    await both.settle_until_closed([start_s])
    assert await both.transactions() == EACH_STEP_ONCE
    await both.check_reconciled([start_s])


async def test_a_confirmed_block_that_is_abandoned(alone: WatchedCampus, first: FaultyNode) -> None:
    start_s = await alone.campus.interval(ENERGY)
    claims, drops = Claims(times=1, level="confirmed"), Drops(times=1)
    first.faults = [claims, drops]
    await alone.settle_until_closed([start_s])
    assert claims.times < 0 and drops.times < 0
    assert await alone.transactions() == EACH_STEP_ONCE
    await alone.check_reconciled([start_s])


async def test_with_one_of_two_nodes_away_steps_go_on_and_nothing_closes(
    both: WatchedCampus, second: FaultyNode, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(executor, "TIME_LIMIT_S", 4)
    start_s = await both.campus.interval(ENERGY)
    second.faults = [Refuses(status=500)]
    for _ in range(3):
        await both.settle_round()
    assert await both.transactions() == {"confirmed": 5}
    second.faults = []
    await both.settle_until_closed([start_s])
    assert await both.transactions() == EACH_STEP_ONCE
    await both.check_reconciled([start_s])


async def test_what_one_node_alone_shows_as_done_closes_nothing(both: WatchedCampus, second: FaultyNode) -> None:
    start_s = await both.campus.interval(ENERGY)
    await both.settle_until_closed([start_s])
    await both.campus.pool.execute("UPDATE settlement_steps SET state = 'planned', signature = NULL")
    await both.campus.pool.execute("UPDATE intervals SET state = 'settling'")
    second.faults = [Hides()]
    for _ in range(2):
        await both.settle_round()
        assert not await both.closed([start_s])
    second.faults = []
    await both.settle_until_closed([start_s])
    assert await both.transactions() == EACH_STEP_ONCE
    await both.check_reconciled([start_s])


async def test_trades_are_not_released_by_the_clock_of_a_node_alone(alone: WatchedCampus, first: FaultyNode) -> None:
    """The node says that the interval's twelve hours are over."""
    start_s = await alone.campus.interval(ENERGY)
    (too_late,) = [error.code for error in idl("trading").errors or [] if error.name == "TooLate"]
    first.faults = [RefusesToRun(passing=2, program=str(PROGRAM_IDS["trading"]), number=too_late)]
    submitter = await alone.campus.submitter()
    assert await submitter.settle_due() == []
    error = submitter.deferred.errors[start_s]
    assert isinstance(error, StepRefusedError) and error.refusal == "TooLate"
    assert await alone.campus.pool.fetchval("SELECT sum(wh) FROM trades") == 1000
    first.faults = []
    await alone.settle_until_closed([start_s])
    await alone.check_reconciled([start_s])


@pytest.mark.parametrize("liar", [0, 1])
async def test_nothing_is_reconciled_by_one_node_alone(
    both: WatchedCampus, first: FaultyNode, second: FaultyNode, monkeypatch: pytest.MonkeyPatch, liar: int
) -> None:
    monkeypatch.setattr(quorum, "PAUSE_S", 0)
    start_s = await both.campus.interval(ENERGY)
    await both.settle_until_closed([start_s])
    (first, second)[liar].faults = [Hides()]
    deferred, lease, pool = DeferredIntervals(), await lead(both.campus.pool), both.campus.pool
    assert await reconcile_due(pool, lease, SystemClock(), both.campus.chain, deferred=deferred) == []
    assert isinstance(deferred.errors[start_s], NodesDisagreeError)
    assert await pool.fetchval("SELECT reconcile_report FROM settlements") is None
    first.faults = second.faults = []
    await both.check_reconciled([start_s])


@pytest.mark.parametrize(("wanted", "offered"), [(0, 10), (500, 500), (10**9, 2000)])
async def test_a_fee_spike_is_followed_up_to_the_cap(
    alone: WatchedCampus, first: FaultyNode, capsys: pytest.CaptureFixture[str], wanted: int, offered: int
) -> None:
    start_s = await alone.campus.interval(ENERGY)
    first.faults = [AsksFees(micro_lamports=wanted)]
    submitter = replace(await alone.campus.submitter(), fees=PriorityFees(10, 2000))
    assert await submitter.settle_due() == [start_s]
    price = bytes(set_compute_unit_price(offered).data)
    for row in await alone.campus.pool.fetch("SELECT raw FROM blockchain_transactions"):
        assert price in [bytes(part.data) for part in Transaction.from_bytes(row["raw"]).message.instructions]
    assert ("fees are above the cap" in capsys.readouterr().out) is (wanted > 2000)


@pytest.mark.parametrize("seed", range(MIXTURES))
async def test_a_mixture_of_faults_over_several_intervals(
    lone_campus: SettlingCampus, lone_ledger: LedgerProcess, seed: int
) -> None:
    rng = random.Random(seed)
    url = lone_ledger.url
    async with (
        faulty_node(url) as first,
        faulty_node(url) as second,
        watch_campus(lone_campus, first.url, second.url) as watched,
    ):
        starts = [await watched.campus.interval(ENERGY) for _ in range(3)]
        changing_faults = asyncio.create_task(_change_faults(rng, [first, second]))
        try:
            async with asyncio.timeout(8):
                await watched.settle_until_closed(starts)
        except TimeoutError:
            pass
        finally:
            changing_faults.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await changing_faults
        first.faults = second.faults = []
        await watched.settle_until_closed(starts)
        await watched.check_reconciled(starts)
        assert (await compare_all(watched.campus.pool, watched.ledger)).differences == []
        assert set(await watched.transactions()) <= {"finalized", "failed", "expired"}


async def _change_faults(rng: random.Random, nodes: list[FaultyNode]) -> None:
    """Gives one of the nodes another fault every few calls."""
    while True:
        node = rng.choice(nodes)
        times = rng.randint(1, 6)
        node.faults = [
            rng.choice(
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
        calls = sum(node.calls.values())
        for _ in range(200):
            if sum(node.calls.values()) >= calls + times:
                break
            await asyncio.sleep(0.01)
