"""The worker's rounds: the market round goes on planning while the market is halted; deferred intervals are stored."""

from collections.abc import Callable
from uuid import UUID

import pytest

from hub.chain.client import ChainClient
from hub.clock import ManualClock, at_s
from hub.errors import PermanentError
from hub.market.auction import invariants
from hub.market.auction.invariants import MarketHaltedError, Outcome
from hub.market.queries import open_halts
from hub.metering.oracle import OracleConfig, attest_due
from hub.postgres.db import Pool
from hub.settlement import rounds
from hub.settlement.rounds import MarketRound, ReconcileRound
from support.rows.site_rows import KnownFunds, add_interval_energy, add_meter, add_participant, add_rates, lead
from support.servers.nodes import NO_CHAIN

START_S, LENGTH_S = 1_780_308_000, 900


@pytest.mark.parametrize(("kind", "stage"), [(MarketRound, "planning"), (ReconcileRound, "reconcile")])
async def test_a_round_stores_its_deferred_intervals_for_operators(
    pool: Pool, kind: type[MarketRound | ReconcileRound], stage: str
) -> None:
    await pool.execute(
        "INSERT INTO intervals (start_at, end_at, state, attested_at) VALUES (to_timestamp(0), now(), 'planned', now())"
    )
    async with ChainClient(NO_CHAIN) as away:
        a_round = kind(pool, _CLOCK, away)
        a_round.deferred.defer(0, PermanentError("look"), a_round.clock)
        await a_round.run(await lead(pool))
    assert await pool.fetchval("SELECT stage FROM deferred_intervals") == stage


async def test_planning_goes_on_while_the_market_is_halted(pool: Pool, monkeypatch: pytest.MonkeyPatch) -> None:
    """The first interval was cleared, the second breaks a rule: the first is planned, and the halt is stored."""
    await _two_attested(pool)
    monkeypatch.setattr(invariants, "check", _breach_after(START_S))
    monkeypatch.setattr(rounds, "CachedFunds", lambda *_: KnownFunds())
    market, lease = MarketRound(pool, _CLOCK, ChainClient(NO_CHAIN)), await lead(pool)
    assert await market.run(lease) is False
    assert await market.run(lease) is False
    states = await pool.fetch("SELECT start_at, state FROM intervals ORDER BY start_at")
    assert [row["state"] for row in states] == ["planned", "attested"]
    async with pool.acquire() as connection:
        (halt,) = await open_halts(connection)
    assert (halt["start_at"], halt["reason"]) == (at_s(START_S + LENGTH_S), "rule broken")

    # a person looked and started the worker again
    monkeypatch.undo()
    monkeypatch.setattr(rounds, "CachedFunds", lambda *_: KnownFunds())
    await MarketRound(pool, _CLOCK, ChainClient(NO_CHAIN)).run(lease)
    assert await pool.fetchval("SELECT count(*) FROM intervals WHERE state = 'planned'") == 2
    async with pool.acquire() as connection:
        assert await open_halts(connection) == []


def _breach_after(start_s: int) -> Callable[[Outcome], None]:
    """Returns a check that fails for every interval after this one."""
    check = invariants.check

    def check_or_breach(outcome: Outcome) -> None:
        if outcome.start_s > start_s:
            raise MarketHaltedError("rule broken")
        check(outcome)

    return check_or_breach


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
