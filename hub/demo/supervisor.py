"""Keeps the demo's processes alive: starts each, restarts what dies, stops all of them in reverse order."""

import asyncio
import contextlib
import json
import shutil
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from hub.embedded.processes import GracePeriod, StartError, spawn, stop, tail

RESTART_PAUSE_S = (0.5, 1, 2, 5, 10)
FULL_BYTES = 8 * 1024 * 1024
SERVERS_STOP_S, LAYER_STOP_S = 3.0, 0.75
"""What of the time for stopping stays for the servers, and for each layer of parts below."""


@dataclass(frozen=True)
class Part:
    """One process of the demo. With ``announces`` its first line on stdout is a JSON object that says it is ready."""

    name: str
    command: Sequence[str | Path]
    env: Mapping[str, str] = field(default_factory=dict)
    announces: bool = False
    inherited_fds: tuple[int, ...] = ()
    """Open files that the process inherits."""
    layer: int = 0
    """Parts of one layer stop together, after those of the layers above."""


class Supervisor:
    """Runs parts until it is closed; a part that dies is started again, with a growing pause."""

    def __init__(self, logs: Path, say: Callable[[str], None], grace: GracePeriod) -> None:
        self._logs = logs
        self._say = say
        self._grace = grace
        self._running: dict[str, asyncio.subprocess.Process] = {}
        self._keepers: list[asyncio.Task[None]] = []
        self._layers: dict[str, int] = {}

    async def start(self, part: Part, *, seconds: float = 60) -> dict[str, Any]:
        """Starts a part and returns what it announced (nothing, when it announces nothing).

        Raises:
            StartError: it ended, or said nothing in time.
        """
        # noted before it runs, so that a start that is broken off leaves nothing behind
        self._layers[part.name] = part.layer
        answer = await self._launch(part, seconds)
        self._keepers.append(asyncio.create_task(self._keep(part, seconds), name=f"keep {part.name}"))
        return answer

    def pid(self, name: str) -> int:
        """The process that carries this part right now."""
        return self._running[name].pid

    async def _launch(self, part: Part, seconds: float) -> dict[str, Any]:
        log = self._logs / f"{part.name}.log"
        process = await spawn(
            part.command, log=log, env=part.env, stdout_pipe=part.announces, inherited_fds=part.inherited_fds
        )
        self._running[part.name] = process
        if not part.announces:
            return {}
        assert process.stdout is not None  # noqa: S101 - asked for above
        try:
            async with asyncio.timeout(seconds):
                line = await process.stdout.readline()
            return dict(json.loads(line))
        except (TimeoutError, ValueError) as error:
            await stop(process)
            raise StartError(f"{part.name} did not start; the end of {log}:\n{tail(log)}") from error

    async def _keep(self, part: Part, seconds: float) -> None:
        falls = 0
        while True:
            code = await self._running[part.name].wait()
            pause = RESTART_PAUSE_S[min(falls, len(RESTART_PAUSE_S) - 1)]
            falls += 1
            self._tell(f"{part.name} ended ({code}); starting it again in {pause} s; {self._where_to_look(part)}")
            await asyncio.sleep(pause)
            try:
                await self._launch(part, seconds)
            # whatever it is - a full disk, too many files - may have passed by the next time
            except Exception as error:  # noqa: BLE001
                self._tell(f"{part.name} could not be started: {error}")

    def _where_to_look(self, part: Part) -> str:
        # a log on a full disk would not say it
        if shutil.disk_usage(self._logs).free < FULL_BYTES:
            return f"the disk of {self._logs} is full: make room"
        return f"its log is {self._logs / part.name}.log"

    def _tell(self, text: str) -> None:
        # a terminal that is gone is no reason to let a part lie
        with contextlib.suppress(OSError):
            self._say(text)

    async def close(self) -> None:
        """Stops everything within the time there is, the highest layer first; the parts of a layer at once."""
        for keeper in self._keepers:
            keeper.cancel()
        await asyncio.gather(*self._keepers, return_exceptions=True)
        for layer in sorted(set(self._layers.values()), reverse=True):
            seconds = self._grace.left(reserve_s=SERVERS_STOP_S + layer * LAYER_STOP_S)
            names = [name for name, its in self._layers.items() if its == layer and name in self._running]
            await asyncio.gather(*(stop(self._running[name], seconds=seconds) for name in names))
