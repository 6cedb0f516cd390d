"""Which of governance's rates are copied, when, and how they are compared with the stored ones: up to the bound."""

from types import SimpleNamespace
from typing import Any, cast

import pytest

from hub.chain.client import ChainClient
from hub.clock import ManualClock, at_s
from hub.market.orders import Rates
from hub.postgres.db import Pool
from hub.settlement import rates
from hub.settlement.rates import (
    CHECK_EVERY_MS,
    CLOCKS_DIFFER_S,
    RETRY_MS,
    NoGovernanceError,
    RatesContradictError,
    RatesCopier,
    copy_rates,
    governed_rates,
)
from hub.units import PriceMills
from support.rows.site_rows import add_rates, lead

NOW_S, TIME_LOCK_S = 1_780_308_000, 172_800
REPLACEABLE_S = NOW_S + TIME_LOCK_S - CLOCKS_DIFFER_S
"""Rates that take effect from then on can be replaced by a decision, if the chain's clock is as late as it may be."""
LAST_SECOND = 253_402_300_799
"""9999-12-31 23:59:59 UTC."""


def rate_set(effective_from_s: int, wheeling_mills: int = 100) -> Any:
    return SimpleNamespace(
        effective_from_s=effective_from_s, wheeling_mills=wheeling_mills, platform_mills=25, loss_mills=5,
        export_tariff_mills=2200, import_tariff_mills=5000,
    )  # fmt: skip


def params(*rate_sets: Any, time_lock_s: int = TIME_LOCK_S) -> Any:
    return SimpleNamespace(rate_sets=rate_sets, time_lock_s=time_lock_s)


def values(*mills: int) -> Rates:
    return Rates(*map(PriceMills, mills))


def test_rates_are_taken_that_no_decision_can_replace_any_more() -> None:
    """The hub's clock may be ten minutes ahead of the chain's."""
    assert CLOCKS_DIFFER_S == 600
    held = params(rate_set(0), rate_set(REPLACEABLE_S - 1, 110), rate_set(REPLACEABLE_S, 120))
    assert governed_rates(held, NOW_S) == {
        0: values(100, 25, 5, 2200, 5000),
        REPLACEABLE_S - 1: values(110, 25, 5, 2200, 5000),
    }
    assert REPLACEABLE_S in governed_rates(held, NOW_S + 1)


def test_times_that_no_calendar_has_are_left_out() -> None:
    held = params(rate_set(-5), rate_set(LAST_SECOND - 1), rate_set(LAST_SECOND), time_lock_s=2**62)
    assert sorted(governed_rates(held, NOW_S)) == [0, LAST_SECOND - 1]
    at_s(LAST_SECOND)


class Chain:
    """Answers with governance's parameters; counts how often it was asked."""

    url = "http://chain"

    def __init__(self, held: Any) -> None:
        self.held, self.asked = held, 0

    async def account(self, *_: object, **__: object) -> Any:
        self.asked += 1
        return self.held

    @property
    def client(self) -> ChainClient:
        return cast("ChainClient", self)


async def copied(pool: Pool, *rate_sets: Any) -> list[int]:
    return await copy_rates(pool, await lead(pool), ManualClock(NOW_S * 1000), Chain(params(*rate_sets)).client)


async def test_rates_that_can_be_replaced_are_not_adopted(pool: Pool) -> None:
    assert await copied(pool, rate_set(0), rate_set(REPLACEABLE_S, 120)) == [0]
    assert await copied(pool, rate_set(0), rate_set(REPLACEABLE_S, 130), rate_set(REPLACEABLE_S - 1, 120)) == [
        REPLACEABLE_S - 1
    ]
    stored = await pool.fetch("SELECT effective_from, wheeling_mills FROM rates ORDER BY 1")
    assert [tuple(row) for row in stored] == [(at_s(0), 100), (at_s(REPLACEABLE_S - 1), 120)]


@pytest.mark.parametrize(("stored", "contradicts"), [(100, False), (101, True)])
@pytest.mark.parametrize("from_s", [900, 901])
async def test_stored_rates_are_compared_with_those_in_force_at_their_time(
    pool: Pool, from_s: int, stored: int, *, contradicts: bool
) -> None:
    """What took effect before the first rates that the chain still holds can not be compared."""
    await add_rates(pool, 899, 77)
    await add_rates(pool, from_s, stored)
    if contradicts:
        with pytest.raises(RatesContradictError, match=f"holds {stored}/25/5 mills of charges, 2200/5000 of tariffs"):
            await copied(pool, rate_set(900))
    else:
        assert await copied(pool, rate_set(900)) == ([900] if from_s == 901 else [])
    assert await pool.fetchval("SELECT count(*) FROM rates") == 2 + (not contradicts and from_s == 901)


async def test_the_chain_is_asked_once_a_minute_and_sooner_after_an_outage(
    pool: Pool, capsys: pytest.CaptureFixture[str]
) -> None:
    assert (CHECK_EVERY_MS, RETRY_MS) == (60_000, 5_000)
    clock, lease, chain, copier = ManualClock(NOW_S * 1000), await lead(pool), Chain(None), RatesCopier()

    async def asked_after(milliseconds: int) -> int:
        clock.advance(milliseconds)
        before = chain.asked
        await copier.copy_if_due(pool, lease, clock, chain.client)
        return chain.asked - before

    assert [await asked_after(ms) for ms in (0, RETRY_MS - 1, 1)] == [1, 0, 1]
    chain.held = params(rate_set(0))
    assert [await asked_after(ms) for ms in (RETRY_MS, CHECK_EVERY_MS - 1, 1)] == [1, 0, 1]
    output = "".join(capsys.readouterr())
    assert output.count("trying again until it works") == 1 and "set the chain up first" in output
    chain.held = None
    assert await asked_after(CHECK_EVERY_MS) == 1
    assert "".join(capsys.readouterr()).count("trying again until it works") == 1, "each outage is said"


async def test_the_codes_are_those_that_operators_know() -> None:
    assert (NoGovernanceError.code, RatesContradictError.code) == ("no_governance", "rates_contradict")


async def test_rates_in_time_are_not_said_to_be_late(pool: Pool, capsys: pytest.CaptureFixture[str]) -> None:
    await copied(pool, rate_set(0))
    output = "".join(capsys.readouterr())
    assert "new rates" in output and "1970-01-01T00:00:00Z" in output and "rates came late" not in output


def test_the_last_second_is_the_calendars() -> None:
    assert rates._LAST_SECOND == LAST_SECOND
    with pytest.raises((ValueError, OverflowError)):
        at_s(LAST_SECOND + 1)
