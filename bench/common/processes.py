"""Child processes of a benchmark: each gets a job as JSON, answers in JSON lines, and ends with the block."""

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

    async def send_line(self, line: str) -> None:
        assert self.process.stdin is not None
        self.process.stdin.write(f"{line}\n".encode())
        await self.process.stdin.drain()

    async def read_answer(self, seconds: float) -> dict[str, Any]:
        """Returns its next answer; fails after that many seconds."""
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
    """Returns the processor time in s of the running children, by kind of process."""
    by_kind: dict[str, float] = defaultdict(float)
    for process in psutil.Process().children(recursive=True):
        with contextlib.suppress(psutil.Error):
            arguments, times = process.cmdline(), process.cpu_times()
            modules = [text.rpartition(".")[2] for text in arguments if text.startswith("bench.common.")]
            by_kind[modules[0] if modules else process.name()] += times.user + times.system
    return dict(by_kind)


async def _end(process: asyncio.subprocess.Process) -> None:
    if process.returncode is not None:
        return
    process.terminate()
    try:
        await asyncio.wait_for(process.wait(), STOP_S)
    except TimeoutError:
        process.kill()
        await process.wait()
