"""The dependencies of a request: settings, clock, the application's parts, and one database transaction.

The transaction ends before the answer is sent.
"""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Annotated, TypeVar

import asyncpg
import structlog
from fastapi import Depends, FastAPI, Request

from hub.clock import Clock
from hub.http.problems import DatabaseUnavailableError
from hub.postgres.db import Connection, Pool
from hub.settings import Settings

log = structlog.get_logger()
ACQUIRE_TIMEOUT_S = 5
T = TypeVar("T")


@dataclass(frozen=True)
class Context:
    """Settings, connection pool and clock of an application."""

    settings: Settings
    pool: Pool
    clock: Clock


def provide(app: FastAPI, *parts: object) -> None:
    """Gives the application its parts, one of each class, such as ``Explorer``; ``provided`` returns them."""
    app.state.parts = {type(part): part for part in parts}


def provided(request: Request, part_type: type[T], make: Callable[[], T] | None = None) -> T:
    """Returns the application's part of a class; ``make``, if given, makes a missing one.

    Raises:
        KeyError: the application has no part of this class.
    """
    parts = request.app.state.parts
    if part_type not in parts and make is not None:
        parts[part_type] = make()
    part: T = parts[part_type]
    return part


def context(request: Request) -> Context:
    """Returns the application's context."""
    return provided(request, Context)


@asynccontextmanager
async def connected(pool: Pool) -> AsyncIterator[Connection]:
    """Takes a connection from the pool; waits a few seconds for it.

    Raises:
        DatabaseUnavailableError: the server does not answer, or all connections are busy.
    """
    try:
        connection = await pool.acquire(timeout=ACQUIRE_TIMEOUT_S)
    except (OSError, TimeoutError, asyncpg.PostgresError, asyncpg.InterfaceError) as error:
        log.warning("no database connection", error=repr(error))
        raise DatabaseUnavailableError.now() from error
    try:
        yield connection
    finally:
        await pool.release(connection)


async def snapshot(request: Request) -> AsyncIterator[Connection]:
    """Opens a read-only transaction that sees the database at one moment."""
    async with connected(context(request).pool) as connection, connection.transaction(
        isolation="repeatable_read", readonly=True
    ):  # fmt: skip
        yield connection


async def transaction(request: Request) -> AsyncIterator[Connection]:
    """Opens a transaction that commits when the endpoint returns, before the answer is sent."""
    async with connected(context(request).pool) as connection, connection.transaction():
        yield connection


Ctx = Annotated[Context, Depends(context)]
Snapshot = Annotated[Connection, Depends(snapshot, scope="function")]
Transaction = Annotated[Connection, Depends(transaction, scope="function")]
