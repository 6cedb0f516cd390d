"""The states of an interval: the order in which they follow each other, and the times that they leave."""

import itertools
from typing import get_args

import pytest

from hub.clock import at_ms, at_s
from hub.metering.interval_states import BEFORE, Advanced, State
from hub.metering.repository import advance
from hub.postgres.db import Pool

START_S = 1_780_308_000
STATES: tuple[State, ...] = ("attested", "cleared", "planned", "settling", "closed", "reconciled")
ALLOWED = {
    ("attested", "cleared"), ("cleared", "planned"), ("planned", "settling"), ("planned", "closed"),
    ("settling", "closed"), ("closed", "reconciled"),
}  # fmt: skip


def test_the_types_name_every_state() -> None:
    assert get_args(State) == STATES
    assert get_args(Advanced) == tuple(BEFORE) == STATES[1:]


@pytest.fixture
async def interval(pool: Pool) -> Pool:
    await pool.execute(
        "INSERT INTO intervals (start_at, end_at, state, attested_at) VALUES ($1, $2, 'attested', $2)",
        at_s(START_S), at_s(START_S + 900),
    )  # fmt: skip
    return pool


async def test_only_the_next_state_follows(interval: Pool) -> None:
    async with interval.acquire() as connection:
        for before, after in itertools.product(STATES, STATES[1:]):
            await connection.execute("UPDATE intervals SET state = $1", before)
            moved = await advance(connection, START_S, after, 1)  # type: ignore[arg-type]
            assert moved is ((before, after) in ALLOWED), (before, after)
            assert await connection.fetchval("SELECT state FROM intervals") == (after if moved else before)
            assert await advance(connection, START_S + 900, "cleared", 1) is False


async def test_each_state_leaves_its_time(interval: Pool) -> None:
    """Only `settling` has no column; the time in ms tells the others apart."""
    async with interval.acquire() as connection:
        for milliseconds, state in enumerate(STATES[1:], start=1):
            assert await advance(connection, START_S, state, milliseconds)  # type: ignore[arg-type]
    row = await interval.fetchrow("SELECT cleared_at, planned_at, closed_at, reconciled_at FROM intervals")
    assert row is not None and tuple(row) == tuple(map(at_ms, (1, 2, 4, 5)))
