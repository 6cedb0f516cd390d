"""A loopback port that stays ours for a whole test, in front of a server that comes and goes on ports of its own."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Coroutine
from dataclasses import dataclass, field
from typing import Any


@dataclass
class PortProxy:
    """What connects to ``port`` reaches the server at ``leads_to``, or is hung up on when there is none."""

    leads_to: int | None = None
    port: int = 0
    _open: set[asyncio.Task[None]] = field(default_factory=set)

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._open.add(task)
        try:
            if self.leads_to is None:
                return
            there, back = await asyncio.open_connection("127.0.0.1", self.leads_to)
            try:
                await _first_to_end(_carry(reader, back), _carry(there, writer))
            finally:
                back.close()
        except OSError:
            return
        finally:
            self._open.discard(task)
            writer.close()

    async def hang_up(self) -> None:
        """Ends what is open."""
        for task in list(self._open):
            task.cancel()
        await asyncio.gather(*self._open, return_exceptions=True)


async def _first_to_end(*carriers: Coroutine[Any, Any, None]) -> None:
    tasks = [asyncio.create_task(carrier) for carrier in carriers]
    try:
        await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def _carry(source: asyncio.StreamReader, sink: asyncio.StreamWriter) -> None:
    while piece := await source.read(65536):
        sink.write(piece)
        await sink.drain()


@contextlib.asynccontextmanager
async def port_proxy() -> AsyncIterator[PortProxy]:
    """A proxy that leads nowhere yet."""
    proxy = PortProxy()
    server = await asyncio.start_server(proxy.serve, "127.0.0.1", 0)
    proxy.port = server.sockets[0].getsockname()[1]
    try:
        yield proxy
    finally:
        server.close()
        await proxy.hang_up()
