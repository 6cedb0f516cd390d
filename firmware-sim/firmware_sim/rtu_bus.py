"""An RS-485 bus on a pseudo terminal: several devices behind one symlink, RTU frames in and out."""

import asyncio
import contextlib
import os
import tty
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from firmware_sim.desk import Desk
from firmware_sim.errors import ListenError, SimError
from firmware_sim.modbus_frames import RtuStream, rtu_frame


@contextmanager
def bus(desk: Desk, path: Path) -> Iterator[Path]:
    """Serves a desk on a new pty, reachable by the symlink ``path`` while the context lives.

    Raises:
        ListenError: the symlink can not be made.
    """
    loop, stream = asyncio.get_running_loop(), RtuStream()
    master, slave = os.openpty()
    # Our own handle on the far end stays open, or the line would hang up with each client that leaves
    tty.setraw(slave)
    os.set_blocking(master, False)

    def readable() -> None:
        with contextlib.suppress(BlockingIOError):
            for unit, pdu in stream.feed(os.read(master, 256), loop.time()):
                _reply(desk, master, unit, pdu)

    try:
        name = os.ttyname(slave)
        _link(path, name)
        loop.add_reader(master, readable)
        try:
            yield path
        finally:
            loop.remove_reader(master)
            if path.is_symlink() and str(path.readlink()) == name:
                path.unlink()
    finally:
        os.close(master)
        os.close(slave)


def _reply(desk: Desk, master: int, unit: int, pdu: bytes) -> None:
    if unit not in desk.devices:
        return  # an absent device is silent
    try:
        answer, served = desk.answer(unit, pdu)
        frame = rtu_frame(unit, answer)
        # A line that nobody reads fills up; what does not fit is lost as on copper
        if os.write(master, frame) == len(frame):
            desk.served(served)
    except SimError as error:
        desk.shared.fail(error)


def _link(path: Path, target: str) -> None:
    if path.exists() and not path.is_symlink():
        raise ListenError(f"{path} exists and is not a symlink: move it away, or set another path for the bus")
    draft = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        draft.unlink(missing_ok=True)
        draft.symlink_to(target)
        draft.replace(path)
    except OSError as error:
        raise ListenError(
            f"The bus {path} can not be made ({error.strerror}): set another path or --run-dir"
        ) from error
