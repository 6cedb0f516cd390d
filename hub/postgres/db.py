"""The way to PostgreSQL: a bounded asyncpg pool and the migrations that ``dbmate`` runs."""

import asyncio
import contextlib
import json
import shutil
import sys
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias

import asyncpg

from hub.errors import ConfigError, RetryableError

if TYPE_CHECKING:
    from asyncpg.pool import PoolConnectionProxy

    Record: TypeAlias = asyncpg.Record
    Connection: TypeAlias = asyncpg.Connection[asyncpg.Record] | PoolConnectionProxy[asyncpg.Record]
    Pool: TypeAlias = asyncpg.Pool[asyncpg.Record]
else:
    Record = asyncpg.Record
    Connection = asyncpg.Connection
    Pool = asyncpg.Pool

AWAY = (
    OSError,
    asyncpg.InterfaceError,
    asyncpg.PostgresConnectionError,
    asyncpg.OperatorInterventionError,
    asyncpg.InsufficientResourcesError,
    asyncpg.TransactionRollbackError,
    # a query on a connection whose server has just said good-bye, before the connection knows that it is closed
    asyncpg.InternalClientError,
)
"""What passes: the server is gone, stops, starts, is full, or chose the other of two transactions."""

MIGRATIONS = Path(__file__).with_name("migrations")


async def create_pool(url: str, *, size: int = 8) -> Pool:
    """A pool of at most ``size`` connections; jsonb travels as Python objects.

    Raises:
        RetryableError: the server does not answer or refuses the login.
    """
    with _let_in():
        return await asyncpg.create_pool(
            url, min_size=1, max_size=size, command_timeout=60, max_inactive_connection_lifetime=300, init=_prepare
        )


@contextlib.asynccontextmanager
async def connected(url: str) -> AsyncIterator[asyncpg.Connection]:
    """One plain connection.

    Raises:
        RetryableError: the server does not answer or refuses the login.
    """
    with _let_in():
        connection = await asyncpg.connect(url)
    try:
        yield connection
    finally:
        await connection.close()


@contextlib.contextmanager
def _let_in() -> Iterator[None]:
    try:
        yield
    except (OSError, asyncpg.PostgresError) as error:
        raise RetryableError(
            f"PostgreSQL does not let us in ({error}): check PEERWATT_HUB_DATABASE_URL and that the server runs"
        ) from error


async def _prepare(connection: Connection) -> None:
    await connection.set_type_codec("jsonb", encoder=json.dumps, decoder=json.loads, schema="pg_catalog")


async def migrate(url: str) -> None:
    """Brings the schema up to date; safe to call at every start, and from several processes at once.

    Raises:
        ConfigError: a migration failed; the message carries dbmate's own words.
    """
    process = await asyncio.create_subprocess_exec(
        _dbmate(), "--url", _for_dbmate(url), "--migrations-dir", str(MIGRATIONS), "--no-dump-schema",
        "--wait", "--wait-timeout", "15s", "up",
        stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT,
    )  # fmt: skip
    output, _ = await process.communicate()
    if process.returncode != 0:
        raise ConfigError(f"The database schema could not be brought up to date: {output.decode().strip()}")


async def schema_version(url: str) -> str:
    """The newest migration that has run, "none" in a database that is not ours yet."""
    async with connected(url) as connection:
        return max(await _migrations_run(connection), default="none")


async def check_schema(source: Pool | Connection) -> None:
    """Says so when this version of the hub and the database's schema are not of one age.

    Raises:
        ConfigError: a migration has not run, or one has that this version does not know.
    """
    ours = {file.name.split("_")[0] for file in MIGRATIONS.glob("*.sql")}
    theirs = await _migrations_run(source)
    if ours - theirs:
        raise ConfigError(
            f"The database lacks migration {', '.join(sorted(ours - theirs))}: "
            "run `peerwatt-hub migrate` with the same configuration, then start again"
        )
    if theirs - ours:
        raise ConfigError(
            f"The database has migration {', '.join(sorted(theirs - ours))}, which this version of the hub does not "
            "know: install the newer version"
        )


async def _migrations_run(source: Pool | Connection) -> set[str]:
    try:
        return {row["version"] for row in await source.fetch("SELECT version FROM schema_migrations")}
    except asyncpg.UndefinedTableError:
        return set()


async def server_time_ms(connection: Connection) -> int:
    """What time the server thinks it is, in ms since 1970."""
    return int(await connection.fetchval("SELECT extract(epoch FROM clock_timestamp()) * 1000"))


def _dbmate() -> str:
    beside = Path(sys.executable).with_name("dbmate")
    found = str(beside) if beside.is_file() else shutil.which("dbmate")
    if found is None:
        raise ConfigError("dbmate is missing: install the package with its [hub] extra")
    return found


def _for_dbmate(url: str) -> str:
    return url if "sslmode=" in url else f"{url}{'&' if '?' in url else '?'}sslmode=disable"
