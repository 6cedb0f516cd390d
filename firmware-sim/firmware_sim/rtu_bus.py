"""Serves RTU frames on a pseudo terminal, as an RS-485 bus with several devices behind one symlink."""

import asyncio
import contextlib
import os
import tty
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from firmware_sim.errors import ListenError, SimError
from firmware_sim.modbus_frames import RtuDecoder
from firmware_sim.modbus_responder import ModbusResponder, Response


@contextmanager
def serve_bus(responder: ModbusResponder, path: Path) -> Iterator[Path]:
    """Serves a responder's devices on a new pty, which the symlink ``path`` leads to meanwhile.

    Raises:
        ListenError: the symlink can not be made.
    """
    loop, decoder = asyncio.get_running_loop(), RtuDecoder()
    late: set[asyncio.TimerHandle] = set()
    our_fd, client_fd = os.openpty()
    # The clients' end stays open here too, or the line would hang up with each client that leaves
    tty.setraw(client_fd)
    os.set_blocking(our_fd, False)

    def read_requests() -> None:
        with contextlib.suppress(BlockingIOError):
            for unit, pdu in decoder.feed(os.read(our_fd, 256), loop.time()):
                respond(unit, pdu)

    def respond(unit: int, pdu: bytes) -> None:
        if unit not in responder.devices:
            return  # an absent device is silent
        try:
            response = responder.respond(unit, pdu)
        except SimError as error:
            responder.context.fail(error)
            return
        if response.late_s:
            late.difference_update({handle for handle in late if handle.when() < loop.time()})
            late.add(loop.call_later(response.late_s, _send, responder, our_fd, response))
        else:
            _send(responder, our_fd, response)

    try:
        name = os.ttyname(client_fd)
        _link(path, name)
        loop.add_reader(our_fd, read_requests)
        try:
            yield path
        finally:
            loop.remove_reader(our_fd)
            for handle in late:
                handle.cancel()
            if path.is_symlink() and str(path.readlink()) == name:
                path.unlink()
    finally:
        os.close(our_fd)
        os.close(client_fd)


def _send(responder: ModbusResponder, our_fd: int, response: Response) -> None:
    frame = response.rtu()
    try:
        # The buffer of a line that nobody reads fills up; what does not fit is lost, as on a wire
        if os.write(our_fd, frame) == len(frame):
            responder.log_served(response.served)
    except BlockingIOError:
        pass
    except SimError as error:
        responder.context.fail(error)


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
