"""Child processes of a benchmark: started with a job as JSON, each answers in JSON lines; none outlives the block."""

import asyncio
import contextlib
import json
import sys
from collections import defaultdict
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil

from bench.common import ROOT

STOP_S = 10
LINE_LIMIT = 2**20


@dataclass(frozen=True)
class Child:
    """One running process."""

    process: asyncio.subprocess.Process
    log: Path

    async def say(self, line: str) -> None:
        assert self.process.stdin is not None
        self.process.stdin.write(f"{line}\n".encode())
        await self.process.stdin.drain()

    async def hear(self, seconds: float) -> dict[str, Any]:
        """Its next answer."""
        assert self.process.stdout is not None
        try:
            async with asyncio.timeout(seconds):
                line = await self.process.stdout.readline()
        except TimeoutError:
            line = b""
        assert line, f"no answer within {seconds} s: {self.log.read_text()[-3000:]}"
        return dict(json.loads(line))


@contextlib.asynccontextmanager
async def child(module: str, job: dict[str, Any], log: Path) -> AsyncIterator[Child]:
    """Runs ``python -m module`` with the job on its command line; its stderr goes to the log."""
    with log.open("a") as errors:
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", module, json.dumps(job), cwd=ROOT, stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE, stderr=errors, limit=LINE_LIMIT,
        )  # fmt: skip
    try:
        yield Child(process, log)
    finally:
        await _end(process)


def processor_s() -> dict[str, float]:
    """Processor seconds so far of each kind of child that now runs."""
    spent: dict[str, float] = defaultdict(float)
    for one in psutil.Process().children(recursive=True):
        with contextlib.suppress(psutil.Error):
            words, times = one.cmdline(), one.cpu_times()
            named = [word.rpartition(".")[2] for word in words if word.startswith("bench.common.")]
            spent[named[0] if named else one.name()] += times.user + times.system
    return dict(spent)


async def _end(process: asyncio.subprocess.Process) -> None:
    if process.returncode is not None:
        return
    process.terminate()
    try:
        await asyncio.wait_for(process.wait(), STOP_S)
    except TimeoutError:
        process.kill()
        await process.wait()
