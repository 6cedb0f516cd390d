"""A TCP server on a loopback port whose open connections a test can end."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable, Coroutine
from dataclasses import dataclass, field
from typing import Any

Handler = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Coroutine[Any, Any, None]]
"""Serves one connection until the other side hangs up."""


@dataclass
class Listener:
    """Runs ``handler`` for each connection, in a task of its own.

    The tasks are ours, because asyncio prints "Exception in callback" when one of its own is cancelled (Python 3.11).
    """

    handler: Handler
    port: int = 0
    _connections: set[asyncio.Task[None]] = field(default_factory=set)

    def accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Begins to serve a connection."""
        connection = asyncio.create_task(self._serve(reader, writer))
        self._connections.add(connection)
        connection.add_done_callback(self._connections.discard)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            await self.handler(reader, writer)
        except (asyncio.IncompleteReadError, OSError):
            # one of the two sides hung up
            return
        finally:
            writer.close()

    async def hang_up(self) -> None:
        """Ends every open connection."""
        connections = list(self._connections)
        for connection in connections:
            connection.cancel()
        await asyncio.gather(*connections, return_exceptions=True)


@contextlib.asynccontextmanager
async def listening(handler: Handler) -> AsyncIterator[Listener]:
    """Listens on a free loopback port; hangs up at the end."""
    listener = Listener(handler)
    server = await asyncio.start_server(listener.accept, "127.0.0.1", 0)
    listener.port = server.sockets[0].getsockname()[1]
    try:
        yield listener
    finally:
        server.close()
        await listener.hang_up()
