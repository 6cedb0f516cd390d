"""Listens for Modbus TCP and for RTU over TCP, and sends what the responder answers."""

import asyncio
import contextlib
import errno
from asyncio import StreamReader, StreamWriter
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

from firmware_sim.errors import ListenError, SimError
from firmware_sim.modbus_frames import RtuDecoder
from firmware_sim.modbus_responder import ModbusResponder

MAX_CONNECTIONS = 16
IDLE_S = 600
"""A connection without a request for this long is closed."""
SEND_S = 5

_Serve = Callable[[ModbusResponder, StreamReader, StreamWriter], Awaitable[None]]


@asynccontextmanager
async def listen(responder: ModbusResponder, host: str, port: int, *, rtu: bool = False) -> AsyncIterator[int]:
    """Serves a responder's devices on a TCP port (0 = a free one) and gives the port.

    Raises:
        ListenError: the port is taken, or may not be listened on.
    """
    serve: _Serve = _serve_rtu if rtu else _serve_tcp
    open_writers: set[StreamWriter] = set()

    async def connected(reader: StreamReader, writer: StreamWriter) -> None:
        if len(open_writers) >= responder.max_connections(MAX_CONNECTIONS):
            writer.close()
            return
        open_writers.add(writer)
        try:
            await serve(responder, reader, writer)
        except (OSError, asyncio.IncompleteReadError, TimeoutError):
            pass  # the client went away; the next one connects anew
        except SimError as error:
            responder.context.fail(error)
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


async def _serve_tcp(responder: ModbusResponder, reader: StreamReader, writer: StreamWriter) -> None:
    while True:
        header = await asyncio.wait_for(reader.readexactly(7), IDLE_S)
        transaction, protocol = int.from_bytes(header[:2], "big"), int.from_bytes(header[2:4], "big")
        size = int.from_bytes(header[4:6], "big")
        if protocol or not 2 <= size <= 254:
            return
        pdu = await asyncio.wait_for(reader.readexactly(size - 1), SEND_S)
        response = responder.respond(header[6], pdu)
        await asyncio.sleep(response.late_s)
        writer.write(response.tcp(transaction))
        await _drain(writer)
        responder.log_served(response.served)


async def _serve_rtu(responder: ModbusResponder, reader: StreamReader, writer: StreamWriter) -> None:
    decoder, loop = RtuDecoder(), asyncio.get_running_loop()
    while data := await asyncio.wait_for(reader.read(256), IDLE_S):
        for unit, pdu in decoder.feed(data, loop.time()):
            if unit not in responder.devices:
                continue  # on a serial line an absent device is silent
            response = responder.respond(unit, pdu)
            await asyncio.sleep(response.late_s)
            writer.write(response.rtu())
            await _drain(writer)
            responder.log_served(response.served)


async def _drain(writer: StreamWriter) -> None:
    async with asyncio.timeout(SEND_S):
        await writer.drain()
