"""Ends what a killed demo left behind: each child's process is noted beside its log, and ended before its successor."""

import asyncio
import contextlib
import os
import signal
from pathlib import Path

import psutil

# a clock that was set in between moves what psutil takes for the start of a process
SAME_START_S = 2.0
END_S, KILL_S = 8, 5


def note(log: Path, pid: int) -> None:
    """Remembers which process writes this log; on a full disk nobody does, and it runs all the same."""
    with contextlib.suppress(psutil.Error, OSError):
        _file(log).write_text(f"{pid} {psutil.Process(pid).create_time()}\n")


async def end_left_over(log: Path, sign: int = signal.SIGTERM, *, seconds: float = END_S) -> None:
    """Ends the process that wrote this log before, when it still runs; asks first, and makes it after ``seconds``."""
    process = _noted(log)
    if process is None:
        return
    with contextlib.suppress(psutil.Error):
        process.send_signal(sign)
    if not await _gone(process, seconds):
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        await _gone(process, KILL_S)


def _noted(log: Path) -> psutil.Process | None:
    try:
        pid, started = _file(log).read_text().split()
        process = psutil.Process(int(pid))
        same = abs(process.create_time() - float(started)) < SAME_START_S
    except (OSError, ValueError, psutil.Error):
        return None
    return process if same and process.is_running() and process.status() != psutil.STATUS_ZOMBIE else None


async def _gone(process: psutil.Process, seconds: float) -> bool:
    with contextlib.suppress(psutil.Error):
        try:
            await asyncio.to_thread(process.wait, seconds)
        except psutil.TimeoutExpired:
            return False
    return True


def _file(log: Path) -> Path:
    return log.with_suffix(".pid")
