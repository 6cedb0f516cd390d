"""`serve` and `worker` as processes with ready line and log; commands that soon end are in ``support.commands``."""

import asyncio
import contextlib
import json
import sys
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from support.waiting import PATIENCE_S, eventually

HUB = Path(sys.executable).with_name("peerwatt-hub")


def write_settings(file: Path, **values: Any) -> Path:
    """Writes a hub's TOML file, with paths as text; returns it. JSON is TOML for what is used here."""
    lines = (f"{name} = {json.dumps(value, default=str)}\n" for name, value in values.items())
    file.write_text("".join(lines))
    return file


@dataclass(frozen=True)
class HubProcess:
    """A running process of the hub."""

    process: asyncio.subprocess.Process
    log: Path
    ready: dict[str, Any]
    """What it printed when it was ready."""

    def lines(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self.log.read_text().splitlines()]

    def logged(self, event: str, loop: str, reason: str = "") -> list[dict[str, Any]]:
        """Returns the lines of an event in one of the worker's loops whose reason holds a text."""
        lines = [line for line in self.lines() if line["event"] == event and line.get("loop") == loop]
        return [line for line in lines if reason in line.get("reason", "")]

    async def wait_for_line(self, event: str, loop: str, times: int = 1, *, reason: str = "") -> None:
        """Waits until that many such lines are logged."""

        def is_logged() -> bool:
            assert self.process.returncode is None, self.log.read_text()
            return len(self.logged(event, loop, reason)) >= times

        await eventually(is_logged, what=f"{loop}: {event}")


@contextlib.asynccontextmanager
async def hub_process(command: str, config: Path, *, sockets: Sequence[int] = ()) -> AsyncIterator[HubProcess]:
    """Starts the command and waits until it is ready; at the end it is told to stop and does so without an error.

    It inherits the ``sockets``, by file number. The log lies beside ``config``.
    """
    log = config.with_name(f"{command}.log")
    with log.open("wb") as log_file:
        process = await asyncio.create_subprocess_exec(
            HUB, command, "--config", config, stdout=asyncio.subprocess.PIPE, stderr=log_file, pass_fds=sockets
        )
    assert process.stdout is not None
    try:
        line = await process.stdout.readline()
        assert line, log.read_text()
        yield HubProcess(process, log, json.loads(line))
    finally:
        if process.returncode is None:
            process.terminate()
        assert await asyncio.wait_for(process.wait(), PATIENCE_S) == 0, log.read_text()
