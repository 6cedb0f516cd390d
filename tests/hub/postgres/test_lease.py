"""Leases: one leader at a time, for as long as its work takes."""

import pytest

from hub.postgres.db import Pool
from hub.postgres.lease import Lease, LeaseLostError, acquire, guard, renewed
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
        await eventually(is_renewed, seconds=30, what="a renewed lease")
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
        with pytest.raises(LeaseLostError):
            await guard(connection, lease)
