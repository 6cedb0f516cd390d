"""A loopback port that stays ours for a whole test, in front of a server that comes and goes on ports of its own."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Coroutine
from dataclasses import dataclass, field
from typing import Any

from support.servers.listener import Listener, listening


@dataclass
class PortProxy:
    """What connects to ``port`` reaches the server at ``upstream_port``, or is hung up on when that is None."""

    upstream_port: int | None = None
    listener: Listener = field(init=False)

    @property
    def port(self) -> int:
        """The port that clients connect to."""
        return self.listener.port

    @contextlib.asynccontextmanager
    async def forwarding(self, port: int) -> AsyncIterator[None]:
        """Passes connections on to ``port``; at the end hangs up on all of them and on those that come later."""
        self.upstream_port = port
        try:
            yield
        finally:
            self.upstream_port = None
            await self.listener.hang_up()

    async def carry(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Copies both directions of one connection until one side ends."""
        if self.upstream_port is None:
            return
        from_server, to_server = await asyncio.open_connection("127.0.0.1", self.upstream_port)
        try:
            await _first_to_end(_copy(reader, to_server), _copy(from_server, writer))
        finally:
            to_server.close()


async def _first_to_end(*copies: Coroutine[Any, Any, None]) -> None:
    tasks = [asyncio.create_task(copy) for copy in copies]
    try:
        await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def _copy(source: asyncio.StreamReader, sink: asyncio.StreamWriter) -> None:
    while data := await source.read(65536):
        sink.write(data)
        await sink.drain()


@contextlib.asynccontextmanager
async def port_proxy() -> AsyncIterator[PortProxy]:
    """A proxy without a server behind it yet."""
    proxy = PortProxy()
    async with listening(proxy.carry) as proxy.listener:
        yield proxy
