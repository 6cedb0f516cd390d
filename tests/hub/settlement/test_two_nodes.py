"""Two RPC nodes, one of which is wrong or away: nothing is closed, signed anew or reconciled by one node alone."""

import asyncio

import pytest

from hub.chain import quorum
from hub.chain.errors import NodesDisagreeError
from hub.clock import SystemClock
from hub.settlement.deferred import DeferredIntervals
from hub.settlement.reconcile import reconcile_due
from hub.settlement.steps import executor
from support.rows.site_rows import lead
from support.servers.faulty_node import FaultyNode
from support.servers.rpc_faults import (
    Claims,
    Drops,
    Hides,
    Holds,
    Races,
    Refuses,
)
from support.settlement.campus import ENERGY
from support.settlement.settled_once import EACH_STEP_ONCE, WatchedCampus
from support.waiting import PATIENCE_S, eventually


async def test_nothing_is_signed_anew_on_the_word_of_a_node_that_races_ahead(
    both: WatchedCampus, first: FaultyNode, second: FaultyNode
) -> None:
    """The node says that the transaction has expired, while it is still on its way to the other node."""
    start_s = await both.campus.interval(ENERGY)
    held = Holds()
    first.faults, second.faults = [Races(), Drops()], [held]
    settling = asyncio.create_task(both.settle_round())
    await asyncio.wait_for(held.holding.wait(), PATIENCE_S)
    for _ in range(5):
        calls = first.calls["getEpochInfo"]
        await eventually(lambda: first.calls["getEpochInfo"] > calls, what="a call")  # noqa: B023
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
