"""Runs the demo's processes: starts each, restarts those that die, stops all of them in reverse order."""

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
MIN_FREE_BYTES = 8 * 1024 * 1024
SERVERS_STOP_S, LAYER_STOP_S = 3.0, 0.75
"""Seconds of the grace period that are kept for the servers, and for each lower layer of parts."""


@dataclass(frozen=True)
class Part:
    """One process of the demo. If it ``announces``, its first line on stdout is a JSON object, when it is ready."""

    name: str
    command: Sequence[str | Path]
    env: Mapping[str, str] = field(default_factory=dict)
    announces: bool = False
    inherited_fds: tuple[int, ...] = ()
    """Open files that the process inherits."""
    layer: int = 0
    """Parts of one layer stop together, after those of the layers above."""


class Supervisor:
    """Runs parts until it is closed; a part that dies is started again after a pause that grows."""

    def __init__(self, logs: Path, output: Callable[[str], None], grace: GracePeriod) -> None:
        self._logs = logs
        self._output = output
        self._grace = grace
        self._running: dict[str, asyncio.subprocess.Process] = {}
        self._watchers: list[asyncio.Task[None]] = []
        self._layers: dict[str, int] = {}

    async def start(self, part: Part, *, seconds: float = 60) -> dict[str, Any]:
        """Starts a part and returns what it announced, or an empty object; waits at most so many seconds.

        Raises:
            StartError: the part ended, or announced nothing in time.
        """
        # recorded before it runs, so that it is stopped also when its start is cancelled
        self._layers[part.name] = part.layer
        answer = await self._launch(part, seconds)
        self._watchers.append(asyncio.create_task(self._watch(part, seconds), name=f"watch {part.name}"))
        return answer

    def pid(self, name: str) -> int:
        """Returns the number of the process that runs this part now."""
        return self._running[name].pid

    async def _launch(self, part: Part, seconds: float) -> dict[str, Any]:
        log = self._logs / f"{part.name}.log"
        process = await spawn(
            part.command, log=log, env=part.env, stdout_pipe=part.announces, inherited_fds=part.inherited_fds
        )
        self._running[part.name] = process
        if not part.announces:
            return {}
        assert process.stdout is not None  # noqa: S101 - a pipe was requested above
        try:
            async with asyncio.timeout(seconds):
                line = await process.stdout.readline()
            return dict(json.loads(line))
        except (TimeoutError, ValueError) as error:
            await stop(process)
            raise StartError(f"{part.name} did not start; the end of {log}:\n{tail(log)}") from error

    async def _watch(self, part: Part, seconds: float) -> None:
        restarts = 0
        while True:
            code = await self._running[part.name].wait()
            pause = RESTART_PAUSE_S[min(restarts, len(RESTART_PAUSE_S) - 1)]
            restarts += 1
            self._report(f"{part.name} ended ({code}); starting it again in {pause} s; {self._log_hint(part)}")
            await asyncio.sleep(pause)
            try:
                await self._launch(part, seconds)
            # any error, such as a full disk or too many files, may have passed by the next attempt
            except Exception as error:  # noqa: BLE001
                self._report(f"{part.name} could not be started: {error}")

    def _log_hint(self, part: Part) -> str:
        # a log on a full disk does not have the reason
        if shutil.disk_usage(self._logs).free < MIN_FREE_BYTES:
            return f"the disk of {self._logs} is full: make room"
        return f"its log is {self._logs / part.name}.log"

    def _report(self, text: str) -> None:
        # a closed terminal must not stop the restarts
        with contextlib.suppress(OSError):
            self._output(text)

    async def close(self) -> None:
        """Stops all parts within the grace period, the highest layer first, the parts of a layer at once."""
        for watcher in self._watchers:
            watcher.cancel()
        await asyncio.gather(*self._watchers, return_exceptions=True)
        for layer in sorted(set(self._layers.values()), reverse=True):
            seconds = self._grace.left(reserve_s=SERVERS_STOP_S + layer * LAYER_STOP_S)
            names = [name for name, part_layer in self._layers.items() if part_layer == layer and name in self._running]
            await asyncio.gather(*(stop(self._running[name], seconds=seconds) for name in names))
