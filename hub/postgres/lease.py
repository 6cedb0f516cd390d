"""Fenced leases in PostgreSQL: one leader for the work that must not be done twice (attest, clear, settle).

A leader carries its fence number into every write; ``guard`` refuses the write of a leader that has been replaced.
"""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from dataclasses import dataclass

from hub.errors import RetryableError
from hub.postgres.db import AWAY, Connection, Pool


class LeaseLostError(RetryableError):
    """Another process leads now; whatever this one was writing was refused."""

    code = "lease_lost"


@dataclass(frozen=True)
class Lease:
    """The right to lead ``name`` until it expires or somebody with a higher fence takes over."""

    name: str
    holder: str
    fence: int


async def acquire(connection: Connection, name: str, holder: str, *, seconds: int = 15) -> Lease | None:
    """Takes or renews the lease; None when another holder's has not run out."""
    fence = await connection.fetchval(
        """
        INSERT INTO leases AS l (name, holder, fence, expires_at)
        VALUES ($1, $2, 1, now() + make_interval(secs => $3))
        ON CONFLICT (name) DO UPDATE SET
            holder = excluded.holder,
            fence = l.fence + (l.holder <> excluded.holder)::int,
            expires_at = excluded.expires_at
        WHERE l.holder = excluded.holder OR l.expires_at < now()
        RETURNING fence
        """,
        name,
        holder,
        float(seconds),
    )
    return None if fence is None else Lease(name, holder, fence)


@contextlib.asynccontextmanager
async def kept(pool: Pool, lease: Lease, *, seconds: int, every_s: float | None = None) -> AsyncIterator[None]:
    """Renews the lease while the block runs, however long that takes; a lease that was lost stays lost."""
    keeper = asyncio.create_task(_keep(pool, lease, seconds, every_s or seconds / 3), name=f"lease {lease.name}")
    try:
        yield
    finally:
        keeper.cancel()
        await asyncio.gather(keeper, return_exceptions=True)


async def _keep(pool: Pool, lease: Lease, seconds: int, every_s: float) -> None:
    while True:
        await asyncio.sleep(every_s)
        # while the database is away nobody else can take over either
        with contextlib.suppress(*AWAY):
            async with pool.acquire() as connection:
                await connection.execute(
                    "UPDATE leases SET expires_at = now() + make_interval(secs => $3) WHERE name = $1 AND fence = $2",
                    lease.name,
                    lease.fence,
                    float(seconds),
                )


async def guard(connection: Connection, lease: Lease) -> None:
    """Holds the lease's row until the caller's transaction ends, so that no new leader can start in between.

    Raises:
        LeaseLostError: the fence has moved on.
    """
    fence = await connection.fetchval("SELECT fence FROM leases WHERE name = $1 FOR SHARE", lease.name)
    if fence != lease.fence:
        raise LeaseLostError(f"{lease.holder} no longer leads {lease.name}: fence {fence} follows {lease.fence}")


async def release(connection: Connection, lease: Lease) -> None:
    """Lets the next leader start at once."""
    await connection.execute(
        "UPDATE leases SET expires_at = now() WHERE name = $1 AND fence = $2", lease.name, lease.fence
    )
