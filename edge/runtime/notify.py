"""Tells systemd that the agent is ready or stops, by the protocol of sd_notify(3); without systemd it does nothing."""

import contextlib
import os
import socket


def notify(state: str) -> None:
    """Sends one assignment, such as ``READY=1``; a socket that does not take it is passed over."""
    address = os.environ.get("NOTIFY_SOCKET")
    if not address:
        return
    with contextlib.suppress(OSError), socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as out:
        out.connect("\0" + address[1:] if address.startswith("@") else address)
        out.send(state.encode())
