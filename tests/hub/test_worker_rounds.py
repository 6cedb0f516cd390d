"""What one round of a loop may do to the others when it fails."""

from dataclasses import replace
from typing import Any

import pytest

from hub.chain.client import ChainClient
from hub.clock import ManualClock
from hub.db import Pool
from hub.errors import PermanentError, RetryableError
from hub.lease import Lease
from hub.worker import ALARM_S, PAUSE_S, Round, Workplace, _market_round, _reconcile_round, _round
from support.site_rows import lead


@pytest.mark.parametrize(
    ("error", "pause"), [(None, PAUSE_S), (PermanentError("look"), ALARM_S), (ValueError("a bug"), ALARM_S)]
)
async def test_a_failing_round_ends_no_other_loop(pool: Pool, error: Exception | None, pause: float) -> None:
    async def work(_place: Workplace, _lease: Lease) -> None:
        if error is not None:
            raise error

    assert await _round(place(pool), Lease("market", "test", 1), work) == pause


@pytest.mark.parametrize("error", [RetryableError("away"), ConnectionResetError("away")])
async def test_what_passes_is_left_to_the_loop(pool: Pool, error: Exception) -> None:
    async def work(_place: Workplace, _lease: Lease) -> None:
        raise error

    with pytest.raises(type(error)):
        await _round(place(pool), Lease("market", "test", 1), work)


@pytest.mark.parametrize(("work", "stage"), [(_market_round, "planning"), (_reconcile_round, "reconcile")])
async def test_a_round_leaves_for_operators_what_it_set_aside(pool: Pool, work: Round, stage: str) -> None:
    await pool.execute(
        "INSERT INTO intervals (start_at, end_at, state, attested_at) VALUES (to_timestamp(0), now(), 'planned', now())"
    )
    here, lease = place(pool), await lead(pool)
    async with ChainClient("http://127.0.0.1:1") as away:
        here = replace(here, chain=away)
        for aside in (here.unplanned, here.unreconciled):
            aside.put(0, PermanentError("look"), here.clock)
        await work(here, lease)
    assert await pool.fetchval("SELECT stage FROM set_aside") == stage


def place(pool: Pool) -> Workplace:
    nothing: Any = None
    return Workplace(nothing, pool, ManualClock(0), nothing, "test", 0)
