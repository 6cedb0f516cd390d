"""Child processes that never outlive us: started in their own group, stopped in order, killed when we die."""

import asyncio
import contextlib
import ctypes
import os
import signal
import socket
import sys
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from pathlib import Path
from typing import BinaryIO, TypeVar

from hub.embedded import leftovers
from hub.errors import RetryableError

PR_SET_PDEATHSIG = 1
PORT_TRIES = 5
ONCE_STOP_S = 1.0

T = TypeVar("T")


class StartError(RetryableError):
    """A server did not come up; the message carries the end of what it said."""

    code = "start_failed"


def free_port() -> int:
    """A loopback port that nobody listens on right now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


async def on_free_ports(start: Callable[[], Awaitable[T]]) -> T:
    """Starts what draws its own free ports, again with others when somebody took one before it was bound.

    Raises:
        StartError: it failed for another reason, or every time.
    """
    for _ in range(PORT_TRIES - 1):
        try:
            return await start()
        except StartError as error:
            if "address already in use" not in str(error).lower():
                raise
    return await start()


class Grace:
    """The seconds in which several children together have to end, counted from the first that is asked."""

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self._end: float | None = None

    def left(self, *, reserve_s: float = 0, least_s: float = 0.5) -> float:
        """What this one may take, when the ones after it need ``reserve_s``; a little even when all is used up."""
        now = time.monotonic()
        self._end = self._end or now + self._seconds
        return max(least_s, self._end - reserve_s - now)


def _die_with_parent(sign: int) -> Callable[[], None]:
    libc = ctypes.CDLL(None) if sys.platform == "linux" else None

    def ask() -> None:
        if libc is not None:
            libc.prctl(PR_SET_PDEATHSIG, sign)

    return ask


async def spawn(
    command: Sequence[str | Path],
    *,
    log: Path,
    env: Mapping[str, str] | None = None,
    stdout_pipe: bool = False,
    sign: int = signal.SIGTERM,
    keep: Sequence[int] = (),
) -> asyncio.subprocess.Process:
    """Starts a child in its own process group; what it says goes to ``log`` (its stdout to us, when asked).

    ``sign`` is what it gets when we die, and what a predecessor that outlived us gets first; ``keep`` are the open
    files that it inherits.

    Raises:
        StartError: there is no such program, its log can not be written, or the system has no room for it.
    """
    await leftovers.end_left_over(log, sign)
    try:
        sink = log.open("ab")
    except OSError as error:
        raise StartError(
            f"{log} can not be written ({error.strerror}): make room on its disk, or mend its rights"
        ) from error
    with sink:
        try:
            process = await _exec(command, sink, env, sign=sign, keep=keep, stdout_pipe=stdout_pipe)
        except OSError as error:
            raise _not_run(command[0], error) from error
    try:
        leftovers.note(log, process.pid)
    except BaseException:
        # nobody would know of it
        await stop(process, seconds=0)
        raise
    return process


def _not_run(program: str | Path, error: OSError) -> StartError:
    if isinstance(error, FileNotFoundError | PermissionError):
        return StartError(
            f"{program} can not be run ({error.strerror}): install Peerwatt with its extras edge, hub, sim"
        )
    return StartError(f"{program} can not be run ({error.strerror}): end other programs, or raise the system's limits")


async def _exec(
    command: Sequence[str | Path],
    sink: BinaryIO,
    env: Mapping[str, str] | None,
    *,
    sign: int,
    keep: Sequence[int],
    stdout_pipe: bool,
) -> asyncio.subprocess.Process:
    return await asyncio.create_subprocess_exec(
        *map(str, command),
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE if stdout_pipe else sink,
        stderr=sink,
        env={**os.environ, **(env or {})},
        start_new_session=True,
        pass_fds=keep,
        # the child must not outlive a demo that was killed; no threads run between fork and exec
        preexec_fn=_die_with_parent(sign),
    )


async def run_once(command: Sequence[str], *, env: Mapping[str, str] | None = None, seconds: float = 60) -> bytes:
    """Runs a command to its end and returns what it printed.

    Raises:
        StartError: it failed, in its own words, took too long, or there is no such program.
    """
    try:
        process = await asyncio.create_subprocess_exec(
            *command,
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
            env={**os.environ, **(env or {})},
            start_new_session=True,
            preexec_fn=_die_with_parent(signal.SIGTERM),
        )
    except OSError as error:
        raise _not_run(command[0], error) from error
    try:
        async with asyncio.timeout(seconds):
            output, words = await process.communicate()
    except TimeoutError:
        raise StartError(f"`{' '.join(command[:2])}` did not end within {seconds:.0f} s") from None
    finally:
        # also when we are stopped while it runs
        await stop(process, seconds=ONCE_STOP_S)
    if process.returncode != 0:
        raise StartError(f"`{' '.join(command[:2])}` failed ({process.returncode}): {words.decode().strip()[-800:]}")
    return output


async def stop(process: asyncio.subprocess.Process, *, sign: int = signal.SIGTERM, seconds: float = 5) -> None:
    """Asks a child to end, then makes it; returns when it is gone."""
    if process.returncode is None:
        with contextlib.suppress(ProcessLookupError):
            process.send_signal(sign)
        try:
            async with asyncio.timeout(seconds):
                await process.wait()
        except TimeoutError:
            pass
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    await process.wait()


def tail(log: Path, lines: int = 8) -> str:
    """The end of a log, for an error message."""
    try:
        return "\n".join(log.read_text(errors="replace").splitlines()[-lines:])
    except OSError:
        return "(it left no log)"
