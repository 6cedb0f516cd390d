"""One leader at a time, for as long as its work takes."""

import asyncio

from hub.db import Pool
from hub.lease import Lease, acquire, kept


async def _acquire(pool: Pool, holder: str) -> Lease | None:
    async with pool.acquire() as connection:
        return await acquire(connection, "market", holder, seconds=1)


async def test_a_lease_is_kept_while_the_work_lasts(pool: Pool) -> None:
    lease = await _acquire(pool, "first")
    assert lease is not None
    end = await pool.fetchval("SELECT expires_at FROM leases")
    async with kept(pool, lease, seconds=1), asyncio.timeout(10):
        while await pool.fetchval("SELECT now()") < end:
            assert await _acquire(pool, "second") is None
            await asyncio.sleep(0.05)
        assert await _acquire(pool, "second") is None
    async with asyncio.timeout(10):
        while (follower := await _acquire(pool, "second")) is None:  # noqa: ASYNC110 (the lease runs out by itself)
            await asyncio.sleep(0.05)
    assert follower.fence == lease.fence + 1
