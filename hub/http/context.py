"""What a request works with: settings, clock, keys, and one transaction that is over before the answer leaves."""

import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated

import asyncpg
from fastapi import Depends, Request

from hub.clock import Clock
from hub.db import Connection, Pool
from hub.problems import DatabaseUnavailableError
from hub.settings import Settings

if TYPE_CHECKING:
    from hub.accounts.tokens import AccessTokens
    from hub.explorer.service import Explorer
    from hub.live.feed import Feed

log = logging.getLogger(__name__)
ACQUIRE_S = 5


@dataclass(frozen=True)
class Context:
    """What lives as long as the application."""

    settings: Settings
    pool: Pool
    clock: Clock
    access_tokens: "AccessTokens"
    feed: "Feed"
    explorer: "Explorer"


def context(request: Request) -> Context:
    """The application's context."""
    found: Context = request.app.state.context
    return found


@asynccontextmanager
async def connected(pool: Pool) -> AsyncIterator[Connection]:
    """A connection of the pool, waited for a few seconds.

    Raises:
        DatabaseUnavailableError: the server is away, or all connections are busy.
    """
    try:
        connection = await pool.acquire(timeout=ACQUIRE_S)
    except (OSError, TimeoutError, asyncpg.PostgresError, asyncpg.InterfaceError) as error:
        log.warning("no database connection: %r", error)
        raise DatabaseUnavailableError.now() from error
    try:
        yield connection
    finally:
        await pool.release(connection)


async def snapshot(request: Request) -> AsyncIterator[Connection]:
    """A read-only transaction that sees one moment of the database."""
    async with connected(context(request).pool) as connection, connection.transaction(
        isolation="repeatable_read", readonly=True
    ):  # fmt: skip
        yield connection


async def transaction(request: Request) -> AsyncIterator[Connection]:
    """A transaction that commits when the endpoint returns, before the client hears of it."""
    async with connected(context(request).pool) as connection, connection.transaction():
        yield connection


Ctx = Annotated[Context, Depends(context)]
Snapshot = Annotated[Connection, Depends(snapshot, scope="function")]
Transaction = Annotated[Connection, Depends(transaction, scope="function")]
