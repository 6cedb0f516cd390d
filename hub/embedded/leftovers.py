"""Ends processes that a killed demo left behind: a file beside each child's log holds its process number."""

import asyncio
import contextlib
import os
import signal
from pathlib import Path

import psutil

# psutil's start time of a process moves when the clock was set in between
SAME_START_S = 2.0
END_TIMEOUT_S, KILL_TIMEOUT_S = 8, 5


def record(log: Path, pid: int) -> None:
    """Writes the process number beside the log; on a full disk it is not written, and the process runs all the same."""
    with contextlib.suppress(psutil.Error, OSError):
        _pid_file(log).write_text(f"{pid} {psutil.Process(pid).create_time()}\n")


async def end_left_over(log: Path, end_signal: int = signal.SIGTERM, *, seconds: float = END_TIMEOUT_S) -> None:
    """Ends the process that wrote this log before, if it still runs: with a signal, after ``seconds`` by force."""
    process = _recorded_process(log)
    if process is None:
        return
    with contextlib.suppress(psutil.Error):
        process.send_signal(end_signal)
    if not await _has_ended(process, seconds):
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        await _has_ended(process, KILL_TIMEOUT_S)


def _recorded_process(log: Path) -> psutil.Process | None:
    try:
        pid, started = _pid_file(log).read_text().split()
        process = psutil.Process(int(pid))
        is_same = abs(process.create_time() - float(started)) < SAME_START_S
    except (OSError, ValueError, psutil.Error):
        return None
    return process if is_same and process.is_running() and process.status() != psutil.STATUS_ZOMBIE else None


async def _has_ended(process: psutil.Process, seconds: float) -> bool:
    with contextlib.suppress(psutil.Error):
        try:
            await asyncio.to_thread(process.wait, seconds)
        except psutil.TimeoutExpired:
            return False
    return True


def _pid_file(log: Path) -> Path:
    return log.with_suffix(".pid")
