"""Child processes that never outlive this one: started in a group of their own, stopped in order, killed with us."""

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
RUN_ONCE_STOP_S = 1.0

T = TypeVar("T")


class StartError(RetryableError):
    """A server did not start; the message has the end of its output."""

    code = "start_failed"


def free_port() -> int:
    """Returns a loopback port that nobody listens on right now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


async def on_free_ports(start: Callable[[], Awaitable[T]]) -> T:
    """Calls ``start``, which picks free ports; calls it again when another process took one of them meanwhile.

    Raises:
        StartError: the start failed for another reason, or every time.
    """
    for _ in range(PORT_TRIES - 1):
        try:
            return await start()
        except StartError as error:
            if "address already in use" not in str(error).lower():
                raise
    return await start()


class GracePeriod:
    """Seconds in which several children together have to end, counted from the first stop."""

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self._end_s: float | None = None

    def left(self, *, reserve_s: float = 0, min_s: float = 0.5) -> float:
        """Returns the seconds that are left, less ``reserve_s`` for later children, and at least ``min_s``."""
        now_s = time.monotonic()
        self._end_s = self._end_s or now_s + self._seconds
        return max(min_s, self._end_s - reserve_s - now_s)


def _end_with_parent(end_signal: int) -> Callable[[], None]:
    libc = ctypes.CDLL(None) if sys.platform == "linux" else None

    def set_death_signal() -> None:
        if libc is not None:
            libc.prctl(PR_SET_PDEATHSIG, end_signal)

    return set_death_signal


async def spawn(
    command: Sequence[str | Path],
    *,
    log: Path,
    env: Mapping[str, str] | None = None,
    stdout_pipe: bool = False,
    end_signal: int = signal.SIGTERM,
    inherited_fds: Sequence[int] = (),
) -> asyncio.subprocess.Process:
    """Starts a child in a process group of its own; its output goes to ``log``, its stdout to a pipe if wanted.

    ``end_signal`` is sent to the child when this process dies, and first to a predecessor that was left over.
    ``inherited_fds`` are the open files that the child inherits.

    Raises:
        StartError: there is no such program, its log can not be written, or the system has no room for it.
    """
    await leftovers.end_left_over(log, end_signal)
    try:
        output_file = log.open("ab")
    except OSError as error:
        raise StartError(
            f"{log} can not be written ({error.strerror}): make room on its disk, or mend its rights"
        ) from error
    with output_file:
        try:
            process = await _exec(
                command,
                output_file,
                env,
                end_signal=end_signal,
                inherited_fds=inherited_fds,
                stdout_pipe=stdout_pipe,
            )
        except OSError as error:
            raise _start_error(command[0], error) from error
    try:
        leftovers.record(log, process.pid)
    except BaseException:
        # without the record nobody could end the child later
        await stop(process, seconds=0)
        raise
    return process


def _start_error(program: str | Path, error: OSError) -> StartError:
    if isinstance(error, FileNotFoundError | PermissionError):
        return StartError(
            f"{program} can not be run ({error.strerror}): install Peerwatt with its extras edge, hub, sim"
        )
    return StartError(f"{program} can not be run ({error.strerror}): end other programs, or raise the system's limits")


async def _exec(
    command: Sequence[str | Path],
    output_file: BinaryIO,
    env: Mapping[str, str] | None,
    *,
    end_signal: int,
    inherited_fds: Sequence[int],
    stdout_pipe: bool,
) -> asyncio.subprocess.Process:
    return await asyncio.create_subprocess_exec(
        *map(str, command),
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE if stdout_pipe else output_file,
        stderr=output_file,
        env={**os.environ, **(env or {})},
        start_new_session=True,
        pass_fds=inherited_fds,
        # ends the child when a demo is killed; safe because no threads run between fork and exec
        preexec_fn=_end_with_parent(end_signal),
    )


async def run_once(command: Sequence[str], *, env: Mapping[str, str] | None = None, seconds: float = 60) -> bytes:
    """Runs a command to its end and returns its output.

    Raises:
        StartError: it failed (the message has its error output), took too long, or there is no such program.
    """
    try:
        process = await asyncio.create_subprocess_exec(
            *command,
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
            env={**os.environ, **(env or {})},
            start_new_session=True,
            preexec_fn=_end_with_parent(signal.SIGTERM),
        )
    except OSError as error:
        raise _start_error(command[0], error) from error
    try:
        async with asyncio.timeout(seconds):
            output, error_output = await process.communicate()
    except TimeoutError:
        raise StartError(f"`{' '.join(command[:2])}` did not end within {seconds:.0f} s") from None
    finally:
        # also when this task is cancelled while the command runs
        await stop(process, seconds=RUN_ONCE_STOP_S)
    if process.returncode != 0:
        raise StartError(
            f"`{' '.join(command[:2])}` failed ({process.returncode}): {error_output.decode().strip()[-800:]}"
        )
    return output


async def stop(process: asyncio.subprocess.Process, *, end_signal: int = signal.SIGTERM, seconds: float = 5) -> None:
    """Ends a child with a signal, after ``seconds`` by force; returns when it has ended."""
    if process.returncode is None:
        with contextlib.suppress(ProcessLookupError):
            process.send_signal(end_signal)
        try:
            async with asyncio.timeout(seconds):
                await process.wait()
        except TimeoutError:
            pass
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    await process.wait()


def tail(log: Path, lines: int = 8) -> str:
    """Returns the last lines of a log, for an error message."""
    try:
        return "\n".join(log.read_text(errors="replace").splitlines()[-lines:])
    except OSError:
        return "(it left no log)"
