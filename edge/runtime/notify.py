"""Tells systemd that the agent is ready or stops; without systemd it does nothing."""

import contextlib
import os
import socket


def notify(state: str) -> None:
    """Sends one ``sd_notify`` line, such as ``READY=1``."""
    address = os.environ.get("NOTIFY_SOCKET")
    if not address:
        return
    with contextlib.suppress(OSError), socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as out:
        out.connect("\0" + address[1:] if address.startswith("@") else address)
        out.send(state.encode())
