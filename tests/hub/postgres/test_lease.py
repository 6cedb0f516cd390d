"""Leases: one leader at a time, for as long as its work takes."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from typing import cast

import asyncpg
import pytest

from hub.postgres.db import Connection, Pool
from hub.postgres.lease import Lease, LeaseLostError, acquire, guard, release, renewed
from support.rows.site_rows import end_leases
from support.waiting import eventually


async def _acquire(pool: Pool, holder: str, *, seconds: int = 60) -> Lease | None:
    async with pool.acquire() as connection:
        return await acquire(connection, "market", holder, seconds=seconds)


async def test_a_lease_is_kept_while_the_work_lasts(pool: Pool) -> None:
    """However late the renewal runs, the lease lasts for another minute."""
    lease = await _acquire(pool, "first")
    assert lease is not None
    end = await pool.fetchval("SELECT expires_at FROM leases")

    async def is_renewed() -> bool:
        return bool(await pool.fetchval("SELECT expires_at > $1 FROM leases", end))

    async with renewed(pool, lease, seconds=60, every_s=0.05):
        await eventually(is_renewed, what="a renewed lease")
        assert await _acquire(pool, "second") is None
    await end_leases(pool)
    follower = await _acquire(pool, "second")
    assert follower is not None and follower.fence == lease.fence + 1


async def test_a_lease_that_was_lost_guards_nothing(pool: Pool) -> None:
    lease = await _acquire(pool, "first")
    assert lease is not None
    await end_leases(pool)
    assert await _acquire(pool, "second") is not None
    async with pool.acquire() as connection:
        with pytest.raises(LeaseLostError) as lost:
            await guard(connection, lease)
    assert lost.value.code == "lease_lost"


async def _replaced(pool: Pool, lease: Lease) -> Lease:
    """Lets the lease expire and a rival take over; returns the rival's lease."""
    await end_leases(pool)
    rival = await _acquire(pool, "rival")
    assert rival is not None and rival.fence == lease.fence + 1
    return rival


async def test_a_leader_that_was_replaced_does_not_prolong_its_successors_lease(pool: Pool) -> None:
    lease = await _acquire(pool, "first")
    assert lease is not None
    await _replaced(pool, lease)
    end = await pool.fetchval("SELECT expires_at FROM leases")
    renewals = 0

    class Counting:
        """The pool, which counts how often a renewal is done."""

        @contextlib.asynccontextmanager
        async def acquire(self) -> AsyncIterator[Connection]:
            nonlocal renewals
            async with pool.acquire() as connection:
                yield connection
            renewals += 1

    async with renewed(cast("Pool", Counting()), lease, seconds=600, every_s=0.01):
        await eventually(lambda: renewals > 1, what="renewals of the lost lease")
    assert await pool.fetchval("SELECT expires_at FROM leases") == end


async def test_nobody_takes_over_while_a_leader_writes(pool: Pool) -> None:
    """The lease runs out in the middle of a guarded transaction; a rival waits until it ends."""
    lease = await _acquire(pool, "first")
    assert lease is not None
    await end_leases(pool)
    async with pool.acquire() as connection, pool.acquire() as rivals:
        transaction = connection.transaction()
        await transaction.start()
        await guard(connection, lease)
        await rivals.execute("SET lock_timeout = '50ms'")
        with pytest.raises(asyncpg.LockNotAvailableError):
            await acquire(rivals, "market", "rival", seconds=60)
        await transaction.commit()
        assert await acquire(rivals, "market", "rival", seconds=60) == Lease("market", "rival", lease.fence + 1)


async def test_a_released_lease_is_taken_over_at_once(pool: Pool) -> None:
    lease = await _acquire(pool, "first")
    assert lease is not None
    async with pool.acquire() as connection:
        await release(connection, lease)
    assert await _acquire(pool, "second") == Lease("market", "second", lease.fence + 1)


async def test_a_leader_that_was_replaced_does_not_release_its_successors_lease(pool: Pool) -> None:
    lease = await _acquire(pool, "first")
    assert lease is not None
    await _replaced(pool, lease)
    async with pool.acquire() as connection:
        await release(connection, lease)
    assert await _acquire(pool, "third") is None


async def test_a_lease_is_renewed_no_more_after_the_work(pool: Pool) -> None:
    lease = await _acquire(pool, "first")
    assert lease is not None
    before = asyncio.all_tasks()
    async with renewed(pool, lease, seconds=60):
        (renewal,) = asyncio.all_tasks() - before
    assert renewal.done()


async def test_a_lease_lasts_for_so_many_seconds(pool: Pool) -> None:
    """From its taking, and from each renewal by the same holder, who keeps the fence number."""
    left = "SELECT extract(epoch FROM expires_at - now()) FROM leases"
    for seconds in (60, 600):
        async with pool.acquire() as connection, connection.transaction():
            assert await acquire(connection, "market", "first", seconds=seconds) == Lease("market", "first", 1)
            assert await connection.fetchval(left) == seconds
    async with pool.acquire() as connection:
        assert await acquire(connection, "ingest", "second", seconds=60) == Lease("ingest", "second", 1)


@pytest.mark.parametrize(("every_s", "pause_s"), [(None, 20.0), (0.5, 0.5)])
async def test_a_lease_is_renewed_three_times_before_it_ends(
    pool: Pool, monkeypatch: pytest.MonkeyPatch, every_s: float | None, pause_s: float
) -> None:
    lease = await _acquire(pool, "first")
    assert lease is not None
    renewals: list[object] = []

    async def recorded(*arguments: object) -> None:
        renewals.append(arguments)

    monkeypatch.setattr("hub.postgres.lease._renew", recorded)
    async with renewed(pool, lease, seconds=60, every_s=every_s):
        await eventually(lambda: bool(renewals), what="the renewal's begin")
    assert renewals == [(pool, lease, 60, pause_s)]


async def test_a_renewal_goes_on_after_an_outage_of_the_database(pool: Pool) -> None:
    lease = await _acquire(pool, "first", seconds=1)
    assert lease is not None
    outages = 2

    class Away:
        """The pool, which is away at first."""

        @contextlib.asynccontextmanager
        async def acquire(self) -> AsyncIterator[Connection]:
            nonlocal outages
            if outages:
                outages -= 1
                raise ConnectionResetError("away")
            async with pool.acquire() as connection:
                yield connection

    async def is_renewed() -> bool:
        return bool(await pool.fetchval("SELECT expires_at > now() + interval '500 seconds' FROM leases"))

    async with renewed(cast("Pool", Away()), lease, seconds=600, every_s=0.01):
        await eventually(is_renewed, what="a renewed lease")


async def test_a_lease_is_not_renewed_before_the_pause_is_over(pool: Pool) -> None:
    lease = await _acquire(pool, "first")
    assert lease is not None
    end = await pool.fetchval("SELECT expires_at FROM leases")
    async with renewed(pool, lease, seconds=600, every_s=3_600):
        ends = [await pool.fetchval("SELECT expires_at FROM leases") for _ in range(50)]
    assert set(ends) == {end}
