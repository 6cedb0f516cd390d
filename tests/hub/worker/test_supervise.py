"""A failure of one loop ends no other loop; one copy of the worker leads."""

import asyncio
import secrets

import pytest
from nats.errors import ConnectionClosedError

from hub.clock import ManualClock
from hub.errors import PermanentError, RetryableError
from hub.metering.rounds import AttestationRound
from hub.observability.outage import Outage
from hub.postgres.db import Pool
from hub.postgres.lease import acquire
from hub.settings import Settings
from hub.worker import supervise
from hub.worker.command import process_name
from hub.worker.supervise import ALARM_S, PAUSE_S, RETRY_S, Leader, attempt, repeat
from support.waiting import PATIENCE_S

START_S, LENGTH_S = 1_780_308_000, 900
AWAY, BUG, LOOK = ConnectionResetError("away"), KeyError("a bug"), PermanentError("look")


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

    assert await attempt(Outage("market"), work) == pause_s


async def test_a_stop_that_a_library_answers_with_an_error_is_still_a_stop() -> None:
    started = asyncio.Event()

    async def work() -> bool:
        try:
            started.set()
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            raise BUG from None
        return True

    task = asyncio.create_task(attempt(Outage("market"), work))
    await started.wait()
    task.cancel()
    await asyncio.wait([task])
    assert task.cancelled()


async def test_a_full_round_is_followed_by_the_next_at_once() -> None:
    async def work() -> bool:
        return True

    assert await attempt(Outage("oracle"), work) == 0


async def test_two_copies_of_one_host_and_number_do_not_lead_together(pool: Pool) -> None:
    """As in containers: both are process 1 of a host with the same name."""
    leases = []
    async with pool.acquire() as connection:
        for _ in range(2):
            holder = process_name(secrets.token_bytes)
            leases.append(await acquire(connection, "market", holder, seconds=60))
    assert [lease is None for lease in leases] == [False, True]


@pytest.mark.parametrize("loop", ["ingest", "oracle"])
async def test_a_bug_in_ingest_or_in_taking_the_lease_is_one_loops_trouble(
    pool: Pool, monkeypatch: pytest.MonkeyPatch, loop: str
) -> None:
    """Neither ends the group of loops; each is tried again."""
    failed = asyncio.Event()

    async def fail(*_: object, **__: object) -> None:
        failed.set()
        raise BUG

    monkeypatch.setattr(supervise, "acquire", fail)
    oracle = AttestationRound(Settings.model_construct(), pool, ManualClock(0))
    work = repeat(Outage("ingest"), fail) if loop == "ingest" else Leader(pool, "test").lead(oracle)
    running = asyncio.create_task(work)
    await asyncio.wait_for(failed.wait(), PATIENCE_S)
    for _ in range(10):
        await asyncio.sleep(0)
    assert not running.done(), running
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)
