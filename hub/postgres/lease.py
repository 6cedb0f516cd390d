"""Leases with fencing tokens in PostgreSQL: one leader for work that must not be done twice (attest, clear, settle).

A leader calls ``guard`` in every transaction that writes; it refuses a leader that has been replaced.
"""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass

from hub.errors import RetryableError
from hub.postgres.db import TRANSIENT_ERRORS, Connection, Pool


class LeaseLostError(RetryableError):
    """Another process leads now; the writes of this one were refused."""

    code = "lease_lost"


@dataclass(frozen=True)
class Lease:
    """The right to do the work ``name`` until it expires or a holder with a higher fence number takes over."""

    name: str
    holder: str
    fence: int


async def acquire(connection: Connection, name: str, holder: str, *, seconds: int) -> Lease | None:
    """Takes or renews the lease for so many seconds; returns None while another holder has it."""
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
async def renewed(pool: Pool, lease: Lease, *, seconds: int, every_s: float | None = None) -> AsyncIterator[None]:
    """Renews the lease while the block runs; a lease that was lost stays lost.

    ``seconds`` is the lease's duration, ``every_s`` the pause between renewals, by default a third of it.
    """
    renewal = asyncio.create_task(_renew(pool, lease, seconds, every_s or seconds / 3), name=f"lease {lease.name}")
    try:
        yield
    finally:
        renewal.cancel()
        await asyncio.gather(renewal, return_exceptions=True)


async def _renew(pool: Pool, lease: Lease, seconds: int, every_s: float) -> None:
    while True:
        await asyncio.sleep(every_s)
        # while the database is unavailable nobody else can take over either
        with contextlib.suppress(*TRANSIENT_ERRORS):
            async with pool.acquire() as connection:
                await connection.execute(
                    "UPDATE leases SET expires_at = now() + make_interval(secs => $3) WHERE name = $1 AND fence = $2",
                    lease.name,
                    lease.fence,
                    float(seconds),
                )


async def guard(connection: Connection, lease: Lease) -> None:
    """Locks the lease's row until the caller's transaction ends, so that no other leader can start meanwhile.

    Raises:
        LeaseLostError: another holder has taken the lease since.
    """
    fence = await connection.fetchval("SELECT fence FROM leases WHERE name = $1 FOR SHARE", lease.name)
    if fence != lease.fence:
        raise LeaseLostError(f"{lease.holder} no longer leads {lease.name}: fence {fence} follows {lease.fence}")


async def take_over(connection: Connection, names: Sequence[str], holder: str) -> None:
    """Ends these leases, whoever holds them, in the caller's transaction, which then is the only one that writes.

    It waits for what their holders are writing. Whatever they begin to write later waits for the caller and is refused
    then, and they compete for the leases again.
    """
    for name in sorted(names):
        await connection.execute(
            """
            INSERT INTO leases AS l (name, holder, fence, expires_at) VALUES ($1, $2, 1, now())
            ON CONFLICT (name) DO UPDATE SET holder = excluded.holder, fence = l.fence + 1, expires_at = now()
            """,
            name,
            holder,
        )


async def release(connection: Connection, lease: Lease) -> None:
    """Ends the lease, so that the next leader can start at once."""
    await connection.execute(
        "UPDATE leases SET expires_at = now() WHERE name = $1 AND fence = $2", lease.name, lease.fence
    )
