"""Asks each dependency of this process whether it answers, all at once and each within a second or two."""

import asyncio
from collections.abc import Awaitable, Callable

from hub.http.context import Context
from hub.system import queries
from hub.system.schemas import Dependency

WAIT_S = 2.0


async def check(ctx: Context) -> list[Dependency]:
    """The state of database and live feed."""
    probes: dict[str, Callable[[Context], Awaitable[None]]] = {
        "database": _database,
        "live_feed": _live_feed,
    }
    return list(await asyncio.gather(*(_probe(name, probe, ctx) for name, probe in probes.items())))


async def _probe(name: str, probe: Callable[[Context], Awaitable[None]], ctx: Context) -> Dependency:
    try:
        async with asyncio.timeout(WAIT_S):
            await probe(ctx)
    except TimeoutError:
        return Dependency(name=name, ok=False, detail=f"no answer within {WAIT_S:.0f} s")
    except Exception as error:  # noqa: BLE001 - whatever it is, it makes this dependency fail and is shown
        return Dependency(name=name, ok=False, detail=f"{type(error).__name__}: {error}"[:200])
    return Dependency(name=name, ok=True)


async def _database(ctx: Context) -> None:
    async with ctx.pool.acquire(timeout=WAIT_S) as connection:
        await queries.ping(connection)


async def _live_feed(ctx: Context) -> None:
    if ctx.feed.broken:
        raise ConnectionError("the journal is not being followed")
