"""Checks all dependencies of this process at once, each within two seconds."""

import asyncio
from collections.abc import Awaitable, Callable

from hub.live.event_feed import EventFeed
from hub.postgres.db import Pool
from hub.system import queries
from hub.system.schemas import Dependency

TIMEOUT_S = 2.0


async def check(pool: Pool, feed: EventFeed) -> list[Dependency]:
    """Returns the state of the database and of the live feed."""
    return list(
        await asyncio.gather(
            _probe("database", lambda: _database(pool)),
            _probe("live_feed", lambda: _live_feed(feed)),
        )
    )


async def _probe(name: str, probe: Callable[[], Awaitable[None]]) -> Dependency:
    try:
        async with asyncio.timeout(TIMEOUT_S):
            await probe()
    except TimeoutError:
        return Dependency(name=name, ok=False, detail=f"no answer within {TIMEOUT_S:.0f} s")
    except Exception as error:  # noqa: BLE001 - any error means that the dependency fails
        return Dependency(name=name, ok=False, detail=f"{type(error).__name__}: {error}"[:200])
    return Dependency(name=name, ok=True)


async def _database(pool: Pool) -> None:
    async with pool.acquire(timeout=TIMEOUT_S) as connection:
        await queries.ping(connection)


async def _live_feed(feed: EventFeed) -> None:
    if feed.broken:
        raise ConnectionError("the outbox is not being followed")
