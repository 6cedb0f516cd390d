"""Modbus TCP and RTU-over-TCP listeners: bytes of a connection in, answers of the desk out."""

import asyncio
import contextlib
import errno
from asyncio import StreamReader, StreamWriter
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

from firmware_sim.desk import Desk
from firmware_sim.errors import ListenError, SimError
from firmware_sim.modbus_frames import RtuStream, rtu_frame, tcp_frame

MAX_CONNECTIONS = 16
IDLE_S = 600
SEND_S = 5

_Talk = Callable[[Desk, StreamReader, StreamWriter], Awaitable[None]]


@asynccontextmanager
async def listen(desk: Desk, host: str, port: int, *, rtu: bool = False) -> AsyncIterator[int]:
    """Serves a desk on a port (0 = a free one) and gives the port.

    Raises:
        ListenError: the port is taken or not ours.
    """
    talk: _Talk = _talk_rtu if rtu else _talk_tcp
    open_writers: set[StreamWriter] = set()

    async def connected(reader: StreamReader, writer: StreamWriter) -> None:
        if len(open_writers) >= MAX_CONNECTIONS:
            writer.close()
            return
        open_writers.add(writer)
        try:
            await talk(desk, reader, writer)
        except (OSError, asyncio.IncompleteReadError, TimeoutError):
            pass  # the client went away; the next one connects anew
        except SimError as error:
            desk.shared.fail(error)
        finally:
            open_writers.discard(writer)
            writer.close()

    try:
        server = await asyncio.start_server(connected, host, port)
    except (OSError, OverflowError) as error:
        raise ListenError(_advice(error, host, port)) from error
    try:
        yield server.sockets[0].getsockname()[1]
    finally:
        server.close()
        for writer in tuple(open_writers):
            writer.transport.abort()
        # Python 3.12 waits here for the connections too, which are aborted
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(server.wait_closed(), 1)


def _advice(error: Exception, host: str, port: int) -> str:
    if isinstance(error, OSError) and error.errno == errno.EADDRINUSE:
        return f"Port {port} of {host} is taken: stop what listens there, or set another port (0 = a free one)"
    return f"{host}:{port} can not be listened on ({error}): set another host or port"


async def _talk_tcp(desk: Desk, reader: StreamReader, writer: StreamWriter) -> None:
    while True:
        header = await asyncio.wait_for(reader.readexactly(7), IDLE_S)
        transaction, protocol = int.from_bytes(header[:2], "big"), int.from_bytes(header[2:4], "big")
        size = int.from_bytes(header[4:6], "big")
        if protocol or not 2 <= size <= 254:
            return
        pdu = await asyncio.wait_for(reader.readexactly(size - 1), SEND_S)
        answer, served = desk.answer(header[6], pdu)
        writer.write(tcp_frame(transaction, header[6], answer))
        await _sent(writer)
        desk.served(served)


async def _talk_rtu(desk: Desk, reader: StreamReader, writer: StreamWriter) -> None:
    stream, loop = RtuStream(), asyncio.get_running_loop()
    while data := await asyncio.wait_for(reader.read(256), IDLE_S):
        for unit, pdu in stream.feed(data, loop.time()):
            if unit not in desk.devices:
                continue  # on a serial line an absent device is silent
            answer, served = desk.answer(unit, pdu)
            writer.write(rtu_frame(unit, answer))
            await _sent(writer)
            desk.served(served)


async def _sent(writer: StreamWriter) -> None:
    async with asyncio.timeout(SEND_S):
        await writer.drain()
