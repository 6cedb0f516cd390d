"""Asks each dependency of this process whether it answers, all at once and each within a second or two."""

import asyncio
from collections.abc import Awaitable, Callable

from hub.live.event_feed import EventFeed
from hub.postgres.db import Pool
from hub.system import queries
from hub.system.schemas import Dependency

WAIT_S = 2.0


async def check(pool: Pool, feed: EventFeed) -> list[Dependency]:
    """The state of database and live feed."""
    return list(
        await asyncio.gather(
            _probe("database", lambda: _database(pool)),
            _probe("live_feed", lambda: _live_feed(feed)),
        )
    )


async def _probe(name: str, probe: Callable[[], Awaitable[None]]) -> Dependency:
    try:
        async with asyncio.timeout(WAIT_S):
            await probe()
    except TimeoutError:
        return Dependency(name=name, ok=False, detail=f"no answer within {WAIT_S:.0f} s")
    except Exception as error:  # noqa: BLE001 - whatever it is, it makes this dependency fail and is shown
        return Dependency(name=name, ok=False, detail=f"{type(error).__name__}: {error}"[:200])
    return Dependency(name=name, ok=True)


async def _database(pool: Pool) -> None:
    async with pool.acquire(timeout=WAIT_S) as connection:
        await queries.ping(connection)


async def _live_feed(feed: EventFeed) -> None:
    if feed.broken:
        raise ConnectionError("the outbox is not being followed")
