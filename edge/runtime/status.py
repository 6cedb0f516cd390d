"""The running agent's status, asked for over a Unix socket in its state folder: no file is written, no SD card worn."""

import asyncio
import contextlib
import json
import logging
import os
import socket
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from pathlib import Path
from typing import Any

from edge.wire.heartbeats import Heartbeat

SOCKET = "agent.sock"
ANSWER_S = 5.0
"""Time-out of a question and its answer."""
MAX_BYTES = 1024 * 1024

log = logging.getLogger(__name__)


def describe(heartbeat: Heartbeat, hub: str, storage: str) -> dict[str, Any]:
    """Returns what ``peerwatt-edge status`` shows of a heartbeat, and how hub and disk do, in words."""
    return {
        "running": True,
        "gateway_id": heartbeat.gateway_id,
        "version": heartbeat.version,
        "boot_id": heartbeat.boot_id.hex(),
        "last_sequence": heartbeat.last_sequence,
        "meters": heartbeat.meters,
        "meters_lost": list(heartbeat.meters_lost),
        "troubles": dict(heartbeat.troubles),
        "outbox_frames": heartbeat.outbox_frames,
        "outbox_age_s": heartbeat.outbox_age_s,
        "complete_until_s": heartbeat.complete_until_s,
        "time_quality": heartbeat.time_quality,
        "memory_queue": heartbeat.memory_queue,
        "disk_free_bytes": heartbeat.disk_free_bytes,
        "hub": hub,
        "storage": storage,
    }


@contextlib.contextmanager
def _short_path(state_dir: Path) -> Iterator[str]:
    """Gives a path of the socket within the 108 bytes of unix(7), however deep the folder is."""
    folder_fd = os.open(state_dir, os.O_RDONLY | os.O_DIRECTORY)
    try:
        yield f"/proc/self/fd/{folder_fd}/{SOCKET}"
    finally:
        os.close(folder_fd)


@contextlib.asynccontextmanager
async def serve_status(state_dir: Path, status: Callable[[], Awaitable[dict[str, Any]]]) -> AsyncIterator[None]:
    """Sends ``status()`` as one JSON object to whoever connects; without a socket, on a full disk, only logs that."""

    async def handle(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(OSError, TimeoutError):
            async with asyncio.timeout(ANSWER_S):
                writer.write(json.dumps(await status()).encode())
                await writer.drain()
        writer.close()

    listener = _listen(state_dir)
    if listener is None:
        yield
        return
    server = await asyncio.start_unix_server(handle, sock=listener)
    try:
        yield
    finally:
        server.close()
        with contextlib.suppress(OSError):
            (state_dir / SOCKET).unlink(missing_ok=True)


def _listen(state_dir: Path) -> socket.socket | None:
    """Opens the socket with mode 0600; None when the folder takes none."""
    listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        (state_dir / SOCKET).unlink(missing_ok=True)
        with _short_path(state_dir) as path:
            listener.bind(path)
        (state_dir / SOCKET).chmod(0o600)
    except OSError as error:
        listener.close()
        log.warning("no status socket: the agent runs, but `status` can not ask it", extra={"reason": str(error)})
        return None
    return listener


def ask_status(state_dir: Path) -> dict[str, Any] | None:
    """Asks the running agent for its status; None when none answers within 5 s."""
    try:
        with _short_path(state_dir) as path, socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as client:
            client.settimeout(ANSWER_S)
            client.connect(path)
            parts = []
            while part := client.recv(65536):
                parts.append(part)
            return dict(json.loads(b"".join(parts)[:MAX_BYTES]))
    except (OSError, ValueError):
        return None
