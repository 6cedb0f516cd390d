"""What one turn of a loop may do to the others when it fails, and what a halted market still does."""

import asyncio
import secrets
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from uuid import UUID

import pytest
from nats.errors import ConnectionClosedError

from hub import worker
from hub.chain.client import ChainClient
from hub.clock import ManualClock, at_s
from hub.errors import PermanentError, RetryableError
from hub.market import invariants
from hub.market.invariants import MarketHaltedError, Outcome
from hub.market.queries import open_halts
from hub.metering.oracle import OracleConfig, attest_due
from hub.observability.outage import Outage
from hub.postgres.db import Pool
from hub.postgres.lease import acquire
from hub.settings import Settings
from hub.worker import ALARM_S, PAUSE_S, RETRY_S, ROUND, Round, Workplace
from support.site_rows import KnownFunds, add_interval_energy, add_meter, add_participant, add_rates, lead

START_S, LENGTH_S = 1_780_308_000, 900
AWAY, BUG, LOOK = ConnectionResetError("away"), KeyError("a bug"), PermanentError("look")
NO_CHAIN = "http://127.0.0.1:1"


@pytest.mark.parametrize(
    ("error", "pause_s"),
    [
        (None, PAUSE_S),
        (RetryableError("away"), RETRY_S),
        (ConnectionClosedError(), RETRY_S),
        (ExceptionGroup("lanes", [AWAY, ExceptionGroup("lane", [RetryableError("away")])]), RETRY_S),
        (LOOK, ALARM_S),
        (BUG, ALARM_S),
        (ExceptionGroup("lanes", [AWAY, BUG]), ALARM_S),
    ],
)
async def test_a_failing_turn_ends_no_other_loop(error: Exception | None, pause_s: float) -> None:
    async def work() -> bool:
        if error is not None:
            raise error
        return False

    assert await worker._turn(Outage("market"), work) == pause_s


async def test_a_stop_that_a_library_answers_with_an_error_is_still_a_stop() -> None:
    begun = asyncio.Event()

    async def work() -> bool:
        try:
            begun.set()
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            raise BUG from None
        return True

    turn = asyncio.create_task(worker._turn(Outage("market"), work))
    await begun.wait()
    turn.cancel()
    await asyncio.wait([turn])
    assert turn.cancelled()


async def test_a_full_round_is_followed_by_the_next_at_once() -> None:
    async def work() -> bool:
        return True

    assert await worker._turn(Outage("oracle"), work) == 0


@pytest.mark.parametrize(
    ("work", "stage"), [(worker._market_round, "planning"), (worker._reconcile_round, "reconcile")]
)
async def test_a_round_leaves_for_operators_what_it_set_aside(pool: Pool, work: Round, stage: str) -> None:
    await pool.execute(
        "INSERT INTO intervals (start_at, end_at, state, attested_at) VALUES (to_timestamp(0), now(), 'planned', now())"
    )
    async with ChainClient(NO_CHAIN) as away:
        place = replace(_place(pool), chain=away)
        for deferred in (place.unplanned, place.unreconciled):
            deferred.defer(0, PermanentError("look"), place.clock)
        await work(place, await lead(pool))
    assert await pool.fetchval("SELECT stage FROM deferred_intervals") == stage


async def test_two_copies_of_one_host_and_number_do_not_lead_together(pool: Pool) -> None:
    """As in containers: both are process 1 of a host with the same name."""
    leases = []
    async with pool.acquire() as connection:
        for _ in range(2):
            holder = worker.name_of_process(secrets.token_bytes)
            leases.append(await acquire(connection, "market", holder, seconds=60))
    assert [lease is None for lease in leases] == [False, True]


@pytest.mark.parametrize("loop", ["ingest", "oracle"])
async def test_a_bug_in_ingest_or_in_taking_the_lease_is_one_loops_trouble(
    pool: Pool, monkeypatch: pytest.MonkeyPatch, loop: str
) -> None:
    """Neither ends the group of loops; each waits to be tried again."""
    failed = asyncio.Event()

    async def fail(*_: object, **__: object) -> None:
        failed.set()
        raise BUG

    monkeypatch.setattr(worker, "run_ingest", fail)
    monkeypatch.setattr(worker, "acquire", fail)
    place = _place(pool)
    lead_oracle = partial(worker._lead, place, "oracle", worker._oracle_round)
    running = asyncio.create_task(worker._ingest(place) if loop == "ingest" else lead_oracle())
    await asyncio.wait_for(failed.wait(), 30)
    for _ in range(10):
        await asyncio.sleep(0)
    assert not running.done(), running
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)


async def test_planning_goes_on_while_the_market_is_halted(pool: Pool, monkeypatch: pytest.MonkeyPatch) -> None:
    """The first interval was cleared, the second breaks a rule: the first is planned, and the halt is written down."""
    await _two_attested(pool)
    monkeypatch.setattr(invariants, "check", _broken_after(START_S))
    monkeypatch.setattr(worker, "CachedFunds", lambda *_: KnownFunds())
    place, lease = _place(pool), await lead(pool)
    assert await worker._market_round(place, lease) is False
    assert await worker._market_round(place, lease) is False
    states = await pool.fetch("SELECT start_at, state FROM intervals ORDER BY start_at")
    assert [row["state"] for row in states] == ["planned", "attested"]
    async with pool.acquire() as connection:
        (halt,) = await open_halts(connection)
    assert (halt["start_at"], halt["reason"]) == (at_s(START_S + LENGTH_S), "rule broken")

    # a person looked and started the worker again
    monkeypatch.undo()
    monkeypatch.setattr(worker, "CachedFunds", lambda *_: KnownFunds())
    await worker._market_round(_place(pool), lease)
    assert await pool.fetchval("SELECT count(*) FROM intervals WHERE state = 'planned'") == 2
    async with pool.acquire() as connection:
        assert await open_halts(connection) == []


def _broken_after(start_s: int) -> Callable[[Outcome], None]:
    real = invariants.check

    def check(outcome: Outcome) -> None:
        if outcome.start_s > start_s:
            raise MarketHaltedError("rule broken")
        real(outcome)

    return check


async def test_more_intervals_than_a_round_takes_are_attested_without_a_pause(pool: Pool) -> None:
    await add_participant(pool, UUID(int=1))
    await add_meter(pool, "METER_001", UUID(int=1), expected_from_s=START_S)
    clock = ManualClock((START_S + (ROUND + 1) * LENGTH_S) * 1000)
    await pool.execute("INSERT INTO ingest_coverage VALUES ('test', $1, $2)", at_s(0), at_s(clock.ms // 1000))
    settings = Settings.model_construct(interval_s=LENGTH_S, poll_period_s=60, attest_grace_s=0)
    place, lease = Workplace(settings, pool, clock, ChainClient(NO_CHAIN), "test"), await lead(pool)
    assert await worker._oracle_round(place, lease) is True
    assert await worker._oracle_round(place, lease) is False
    assert await pool.fetchval("SELECT count(*) FROM intervals") == ROUND + 1


async def _two_attested(pool: Pool) -> None:
    await add_rates(pool)
    for number, energy in ((1, (0, 300)), (2, (200, 0))):
        await add_participant(pool, UUID(int=number))
        await add_meter(pool, f"METER_00{number}", UUID(int=number), expected_from_s=START_S)
        for start_s in (START_S, START_S + LENGTH_S):
            await add_interval_energy(pool, f"METER_00{number}", start_s, LENGTH_S, energy)
    config = OracleConfig(LENGTH_S, poll_period_s=60, grace_s=120, since_ms=0)
    assert len(await attest_due(pool, await lead(pool), _CLOCK, config)) == 2


_CLOCK = ManualClock((START_S + 2 * LENGTH_S) * 1000)


def _place(pool: Pool) -> Workplace:
    return Workplace(Settings.model_construct(), pool, _CLOCK, ChainClient(NO_CHAIN), "test")
