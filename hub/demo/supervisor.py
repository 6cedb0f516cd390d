"""Keeps the demo's processes alive: starts each, restarts what dies, stops all of them in reverse order."""

import asyncio
import contextlib
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from hub.embedded.processes import StartError, spawn, stop, tail

RESTART_PAUSE_S = (0.5, 1, 2, 5, 10)


@dataclass(frozen=True)
class Part:
    """One process of the demo. With ``announces`` its first line on stdout is a JSON object that says it is ready."""

    name: str
    command: Sequence[str | Path]
    env: Mapping[str, str] = field(default_factory=dict)
    announces: bool = False
    keep: tuple[int, ...] = ()
    """Open files that the process inherits."""


class Supervisor:
    """Runs parts until it is closed; a part that dies is started again, with a growing pause."""

    def __init__(self, logs: Path, say: Callable[[str], None]) -> None:
        self._logs = logs
        self._say = say
        self._running: dict[str, asyncio.subprocess.Process] = {}
        self._keepers: list[asyncio.Task[None]] = []
        self._order: list[str] = []

    async def start(self, part: Part, *, seconds: float = 60) -> dict[str, Any]:
        """Starts a part and returns what it announced (nothing, when it announces nothing).

        Raises:
            StartError: it ended, or said nothing in time.
        """
        # noted before it runs, so that a start that is broken off leaves nothing behind
        self._order.append(part.name)
        answer = await self._launch(part, seconds)
        self._keepers.append(asyncio.create_task(self._keep(part, seconds), name=f"keep {part.name}"))
        return answer

    def pid(self, name: str) -> int:
        """The process that carries this part right now."""
        return self._running[name].pid

    async def _launch(self, part: Part, seconds: float) -> dict[str, Any]:
        log = self._logs / f"{part.name}.log"
        process = await spawn(part.command, log=log, env=part.env, stdout_pipe=part.announces, keep=part.keep)
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
            process = self._running[part.name]
            code = await process.wait()
            pause = RESTART_PAUSE_S[min(falls, len(RESTART_PAUSE_S) - 1)]
            falls += 1
            self._say(f"{part.name} ended ({code}); starting it again in {pause} s")
            await asyncio.sleep(pause)
            with contextlib.suppress(StartError):
                await self._launch(part, seconds)

    async def close(self) -> None:
        """Stops everything, the newest first; parts of one kind together."""
        for keeper in self._keepers:
            keeper.cancel()
        await asyncio.gather(*self._keepers, return_exceptions=True)
        for name in reversed(self._order):
            if name in self._running:
                await stop(self._running[name])
