"""The worker's rounds: the market round goes on planning while the market is halted; deferred intervals are stored."""

from collections.abc import Callable
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any
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
from hub.postgres.rounds import INTERVALS_A_ROUND
from hub.settlement import rounds
from hub.settlement.rounds import MarketRound, ReconcileRound
from support.rows.site_rows import ALWAYS, KnownFunds, add_interval_energy, add_meter, add_participant, add_rates, lead
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
    config = OracleConfig(LENGTH_S, poll_period_s=60, grace_s=120, coverage=ALWAYS)
    assert len(await attest_due(pool, await lead(pool), _CLOCK, config)) == 2


@dataclass
class Work:
    """Stands in for what the rounds do; each is found ``count`` intervals long, and is recorded with its options."""

    count: int
    done: list[tuple[str, dict[str, Any]]] = field(default_factory=list)

    def named(self, name: str) -> Callable[..., Any]:
        async def work(*_: object, **options: Any) -> list[Any]:
            self.done.append((name, options))
            interval = SimpleNamespace(start_s=START_S, price_mills=1, volume_wh=2, lines=3, batches=4)
            return [START_S if name == "reconcile_due" else interval] * self.count

        return work

    async def check_before_reading(self, *_: object) -> None:
        self.done.append(("check", {}))

    async def copy_if_due(self, *_: object) -> None:
        self.done.append(("rates", {}))


@pytest.mark.parametrize(("count", "more"), [(INTERVALS_A_ROUND, True), (INTERVALS_A_ROUND - 1, False), (0, False)])
async def test_after_a_full_round_there_may_be_more(
    pool: Pool, monkeypatch: pytest.MonkeyPatch, count: int, *, more: bool
) -> None:
    work, lease = Work(count), await lead(pool)
    stand_in: Any = work
    for name in ("clear_attested", "plan_cleared", "reconcile_due"):
        monkeypatch.setattr(rounds, name, work.named(name))
    market = MarketRound(pool, _CLOCK, ChainClient(NO_CHAIN), rates=stand_in, preflight=stand_in)
    assert await market.run(lease) is more
    limits = {"limit": INTERVALS_A_ROUND}
    planning = limits | {"deferred": market.deferred}
    assert work.done == [("check", {}), ("rates", {}), ("clear_attested", limits), ("plan_cleared", planning)]
    work.done.clear()
    market.halted.set()
    assert await market.run(lease) is more, "there may be more to plan"
    assert work.done == [("plan_cleared", planning)]
    work.done.clear()
    reconcile = ReconcileRound(pool, _CLOCK, ChainClient(NO_CHAIN), preflight=stand_in)
    assert await reconcile.run(lease) is more
    assert work.done == [("check", {}), ("reconcile_due", limits | {"deferred": reconcile.deferred})]
    assert (market.name, reconcile.name) == ("market", "reconcile")


async def test_planning_goes_on_when_clearing_fails(pool: Pool, monkeypatch: pytest.MonkeyPatch) -> None:
    work = Work(0)
    stand_in: Any = work

    async def fails(*_: object, **__: object) -> None:
        raise ConnectionResetError("away")

    monkeypatch.setattr(rounds, "clear_attested", fails)
    monkeypatch.setattr(rounds, "plan_cleared", work.named("plan_cleared"))
    market = MarketRound(pool, _CLOCK, ChainClient(NO_CHAIN), rates=stand_in, preflight=stand_in)
    with pytest.raises(ConnectionResetError):
        await market.run(await lead(pool))
    assert work.done[-1][0] == "plan_cleared"


_CLOCK = ManualClock((START_S + 2 * LENGTH_S) * 1000)
