"""PostgreSQL with fsync in a temporary folder, and a fresh database for each run."""

import contextlib
import secrets
from collections.abc import AsyncIterator
from pathlib import Path

import asyncpg

from hub.embedded.postgres import create_database, run_postgres
from hub.postgres import db
from hub.postgres.db import Pool

TEMPLATE = "bench_template"


@contextlib.asynccontextmanager
async def durable_postgres(folder: Path) -> AsyncIterator[str]:
    """Runs a server with fsync that keeps the time of every commit, and makes a migrated template; yields its URL."""
    async with run_postgres(folder) as url:
        await _execute(url, "ALTER SYSTEM SET track_commit_timestamp = on")
    async with run_postgres(folder) as url:
        for name in ("fsync", "synchronous_commit", "full_page_writes", "track_commit_timestamp"):
            assert await _value(url, f"SHOW {name}") == "on", name
        await db.migrate(await create_database(url, TEMPLATE))
        yield url


@contextlib.asynccontextmanager
async def fresh_pool(server_url: str, template: str = TEMPLATE) -> AsyncIterator[tuple[str, Pool]]:
    """Copies the template; yields the copy's URL and a pool on it, and drops the copy afterwards."""
    name = f"bench_{secrets.token_hex(6)}"
    url = await create_database(server_url, name, template=template)
    pool = await db.create_pool(url)
    try:
        yield url, pool
    finally:
        await pool.close()
        await _execute(server_url, f'DROP DATABASE "{name}" WITH (FORCE)')


async def checkpoint(server_url: str) -> None:
    """Writes all dirty pages, so that a run does not pay for those of the run before."""
    await _execute(server_url, "CHECKPOINT")


async def _execute(url: str, query: str) -> None:
    connection = await asyncpg.connect(url)
    try:
        await connection.execute(query)
    finally:
        await connection.close()


async def _value(url: str, query: str) -> str:
    connection = await asyncpg.connect(url)
    try:
        return str(await connection.fetchval(query))
    finally:
        await connection.close()
