"""The clocks that the oracle depends on: the worker's, PostgreSQL's and those of the gateways."""

import pytest

from hub.clock import ManualClock, at_ms
from hub.metering.clocks import ClocksDifferError, require_one_time
from hub.metering.repository import database_now_ms
from hub.postgres.db import Pool
from support.rows.site_rows import same_time_as

NOW_MS = 1_780_308_000_000


async def require(pool: Pool, now_ms: int = NOW_MS, database_ms: int = NOW_MS) -> None:
    async with pool.acquire() as connection:
        await require_one_time(connection, ManualClock(now_ms), same_time_as(ManualClock(database_ms)))


async def add_heartbeat(
    pool: Pool, name: str, ahead_ms: int, *, quality: str = "S", heard_ago_ms: int = 0, now_ms: int = NOW_MS
) -> None:
    """Adds a gateway whose clock was that far ahead of the hub's at its last heartbeat."""
    heard_ms = now_ms - heard_ago_ms
    await pool.execute(
        "INSERT INTO gateways (gateway_id, building, last_beat_at, last_beat) VALUES ($1, 'North', $2, $3)",
        name, at_ms(heard_ms), {"sent_at_ms": heard_ms + ahead_ms, "time_quality": quality},
    )  # fmt: skip


@pytest.mark.parametrize(("apart_ms", "said"), [(2001, "+2.0 s"), (-3_600_000, "-3600.0 s")])
async def test_a_worker_that_is_not_at_the_time_of_its_database(pool: Pool, apart_ms: int, said: str) -> None:
    await require(pool, NOW_MS + 2000)
    await require(pool, NOW_MS - 2000)
    with pytest.raises(ClocksDifferError, match="PostgreSQL") as caught:
        await require(pool, NOW_MS + apart_ms)
    assert said in str(caught.value) and caught.value.code == "clocks_differ"


async def test_a_host_that_takes_its_database_an_hour_ahead(pool: Pool) -> None:
    """The gateways tell: their heartbeats are an hour behind."""
    await add_heartbeat(pool, "gw-north", -3_600_000)
    await add_heartbeat(pool, "gw-south", -3_600_000)
    with pytest.raises(ClocksDifferError, match=r"\+3600\.0 s from that of 2 synchronised gateways"):
        await require(pool)


async def test_one_gateway_with_a_wrong_clock_stops_nobody(pool: Pool) -> None:
    for name, ahead_ms in (("gw-a", 40_000_000), ("gw-b", 30_000), ("gw-c", -10)):
        await add_heartbeat(pool, name, ahead_ms)
    await require(pool)
    await pool.execute("UPDATE gateways SET last_beat = last_beat || '{\"sent_at_ms\": 0}' WHERE gateway_id <> 'gw-c'")
    with pytest.raises(ClocksDifferError):
        await require(pool)


@pytest.mark.parametrize("heartbeat", [{"quality": "I"}, {"heard_ago_ms": 300_001}, {"heard_ago_ms": -300_001}])
async def test_what_says_nothing_of_the_time_now(pool: Pool, heartbeat: dict[str, object]) -> None:
    """A clock that is not synchronised, and heartbeats of before or after a step of the hub's own clock."""
    await add_heartbeat(pool, "gw-north", 3_600_000, **heartbeat)  # type: ignore[arg-type]
    await pool.execute("INSERT INTO gateways (gateway_id, building) VALUES ('gw-new', 'North')")
    await require(pool)


async def test_the_database_has_a_clock(pool: Pool) -> None:
    async with pool.acquire() as connection:
        first = await database_now_ms(connection)
        assert first <= await database_now_ms(connection)
        await require_one_time(connection, ManualClock(first), database_now_ms)


async def test_a_hub_that_is_behind_the_chain(pool: Pool) -> None:
    """Without any gateway that could tell, and with its database along."""
    async with pool.acquire() as connection:
        clock = ManualClock(NOW_MS)
        await require_one_time(connection, clock, same_time_as(clock), chain_ahead_s=30)
        with pytest.raises(ClocksDifferError, match=r"31 s behind the chain's: nothing is attested"):
            await require_one_time(connection, clock, same_time_as(clock), chain_ahead_s=31)
