"""Connections to PostgreSQL, a bounded asyncpg pool, and the migrations, which ``dbmate`` runs."""

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

TRANSIENT_ERRORS = (
    OSError,
    asyncpg.InterfaceError,
    asyncpg.PostgresConnectionError,
    asyncpg.OperatorInterventionError,
    asyncpg.InsufficientResourcesError,
    asyncpg.TransactionRollbackError,
    # a query on a connection that the server has just ended, before asyncpg knows it
    asyncpg.InternalClientError,
)
"""Errors that pass: the server is unreachable, stops, starts or is full, or it rolled back one of two transactions."""

LockTimeoutError = asyncpg.LockNotAvailableError
"""A lock was waited for longer than `lock_timeout` says."""

MIGRATIONS = Path(__file__).with_name("migrations")


async def create_pool(url: str, *, size: int = 8) -> Pool:
    """Opens a pool of at most ``size`` connections; jsonb values are Python objects.

    Raises:
        RetryableError: the server does not answer or refuses the login.
    """
    with _login_errors():
        return await asyncpg.create_pool(
            url,
            min_size=1,
            max_size=size,
            command_timeout=60,
            max_inactive_connection_lifetime=300,
            init=_set_json_codec,
        )


@contextlib.asynccontextmanager
async def connected(url: str) -> AsyncIterator[asyncpg.Connection]:
    """Opens one connection, without the pool's codecs.

    Raises:
        RetryableError: the server does not answer or refuses the login.
    """
    with _login_errors():
        connection = await asyncpg.connect(url)
    try:
        yield connection
    finally:
        await connection.close()


@contextlib.contextmanager
def _login_errors() -> Iterator[None]:
    try:
        yield
    except (OSError, asyncpg.PostgresError) as error:
        raise RetryableError(
            f"PostgreSQL does not let us in ({error}): check PEERWATT_HUB_DATABASE_URL and that the server runs"
        ) from error


async def _set_json_codec(connection: Connection) -> None:
    await connection.set_type_codec("jsonb", encoder=json.dumps, decoder=json.loads, schema="pg_catalog")


async def migrate(url: str) -> None:
    """Brings the schema up to date; safe to call at every start, and from several processes at once.

    Raises:
        ConfigError: a migration failed; the message has dbmate's output.
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
    """Returns the newest migration that has run, "none" in a database without our schema.

    Raises:
        RetryableError: the server does not answer or refuses the login.
    """
    async with connected(url) as connection:
        return max(await _migrations_run(connection), default="none")


async def check_schema(connection: Pool | Connection) -> None:
    """Checks that the database's schema belongs to this version of the hub.

    Raises:
        ConfigError: a migration has not run, or one has run that this version does not know.
    """
    known = {file.name.split("_")[0] for file in MIGRATIONS.glob("*.sql")}
    applied = await _migrations_run(connection)
    if known - applied:
        raise ConfigError(
            f"The database lacks migration {', '.join(sorted(known - applied))}: "
            "run `peerwatt-hub migrate` with the same configuration, then start again"
        )
    if applied - known:
        raise ConfigError(
            f"The database has migration {', '.join(sorted(applied - known))}, which this version of the hub does not "
            "know: install the newer version"
        )


async def _migrations_run(connection: Pool | Connection) -> set[str]:
    try:
        return {row["version"] for row in await connection.fetch("SELECT version FROM schema_migrations")}
    except asyncpg.UndefinedTableError:
        return set()


async def server_time_ms(connection: Connection) -> int:
    """Returns the time of the server's clock in Unix milliseconds."""
    return int(await connection.fetchval("SELECT extract(epoch FROM clock_timestamp()) * 1000"))


def _dbmate() -> str:
    in_environment = Path(sys.executable).with_name("dbmate")
    path = str(in_environment) if in_environment.is_file() else shutil.which("dbmate")
    if path is None:
        raise ConfigError("dbmate is missing: install the package with its [hub] extra")
    return path


def _for_dbmate(url: str) -> str:
    return url if "sslmode=" in url else f"{url}{'&' if '?' in url else '?'}sslmode=disable"
