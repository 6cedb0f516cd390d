"""Every fault of an RPC node while intervals settle: nobody is debited twice, and all intervals are reconciled.

It runs one random mixture of faults; PEERWATT_MIXTURES=20 makes it twenty (`make test-crash`).
"""

import asyncio
import contextlib
import os
import random
from dataclasses import replace

import pytest
from solders.compute_budget import set_compute_unit_price
from solders.transaction import Transaction

from hub.chain.programs import PROGRAM_IDS, idl
from hub.settlement.fees import PriorityFees
from hub.settlement.reconcile import compare_all
from hub.settlement.steps.executor import StepRefusedError
from support.servers.faulty_node import Call, Fault, FaultyNode, Reply, Result, faulty_node
from support.servers.ledger import LedgerProcess
from support.servers.rpc_faults import (
    SEND,
    AsksFees,
    Claims,
    Doubles,
    Drops,
    ForgetsWhatItKnows,
    Hangs,
    Holds,
    Lags,
    Races,
    Refuses,
    RefusesToRun,
)
from support.settlement.campus import ENERGY, SettlingCampus
from support.settlement.settled_once import EACH_STEP_ONCE, WatchedCampus, watch_campus
from support.waiting import PATIENCE_S

MIXTURES = int(os.environ.get("PEERWATT_MIXTURES", "1"))
LATER_S = 70
"""Longer than a blockhash is valid."""

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
        await asyncio.wait_for(held.holding.wait(), PATIENCE_S)
        assert await watched.transactions() == {"confirmed": 3, "submitted": 1}
        lone_ledger.restart_ahead(LATER_S)
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


async def test_a_confirmed_block_that_is_abandoned(alone: WatchedCampus, first: FaultyNode) -> None:
    start_s = await alone.campus.interval(ENERGY)
    claims, drops = Claims(times=1, level="confirmed"), Drops(times=1)
    first.faults = [claims, drops]
    await alone.settle_until_closed([start_s])
    assert claims.times < 0 and drops.times < 0
    assert await alone.transactions() == EACH_STEP_ONCE
    await alone.check_reconciled([start_s])


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
