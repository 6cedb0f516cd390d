"""What a request works with: settings, clock, what its application was provided with, and one transaction that is over
before the answer leaves."""

import logging
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Annotated, TypeVar

import asyncpg
from fastapi import Depends, FastAPI, Request

from hub.clock import Clock
from hub.http.problems import DatabaseUnavailableError
from hub.postgres.db import Connection, Pool
from hub.settings import Settings

log = logging.getLogger(__name__)
ACQUIRE_S = 5
T = TypeVar("T")


@dataclass(frozen=True)
class Context:
    """What lives as long as the application."""

    settings: Settings
    pool: Pool
    clock: Clock


def provide(app: FastAPI, *parts: object) -> None:
    """Gives the application its parts, one of each class; a room's dependencies find theirs with ``provided``."""
    app.state.parts = {type(part): part for part in parts}


def provided(request: Request, kind: type[T], make: Callable[[], T] | None = None) -> T:
    """Returns the application's part of this class; one that was not given is made at first use.

    Raises:
        KeyError: this application was not provided with one.
    """
    parts = request.app.state.parts
    if kind not in parts and make is not None:
        parts[kind] = make()
    part: T = parts[kind]
    return part


def context(request: Request) -> Context:
    """Returns the application's context."""
    return provided(request, Context)


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
