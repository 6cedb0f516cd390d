"""An RPC node that a test makes ill: a real HTTP server before a real node, forwarding, changing or refusing calls."""

import asyncio
import base64
import contextlib
import json
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import httpx
from solders.transaction import VersionedTransaction

Result = Mapping[str, Any]
"""A JSON-RPC answer."""


@dataclass(frozen=True)
class Reply:
    """What goes back as it is."""

    status: int
    body: bytes = b""
    headers: str = ""


@dataclass
class Call:
    """One request and the way on."""

    method: str
    params: list[Any]
    body: bytes
    forward: Callable[[bytes], Awaitable[Any]]

    async def on(self) -> Any:
        """The real node's answer."""
        return await self.forward(self.body)

    def answer(self, result: Any) -> Result:
        return {"jsonrpc": "2.0", "id": json.loads(self.body)["id"], "result": result}

    def signature(self) -> str:
        """Of the transaction that is sent."""
        return str(VersionedTransaction.from_bytes(base64.b64decode(self.params[0])).signatures[0])


Fault = Callable[[Call], Awaitable[Reply | Result | None]]
"""Answers in the real node's place, or None when the call is not its business."""


@dataclass
class FaultyNode:
    """``faults`` are asked in order; without one the call goes through."""

    upstream: str
    faults: list[Fault] = field(default_factory=list)
    calls: Counter[str] = field(default_factory=Counter)
    url: str = ""
    _open: set[asyncio.Task[None]] = field(default_factory=set)
    _http: httpx.AsyncClient = field(default_factory=lambda: httpx.AsyncClient(timeout=20))

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._open.add(task)
        try:
            while head := await reader.readuntil(b"\r\n\r\n"):
                length = next(
                    int(line[15:]) for line in head.lower().splitlines() if line.startswith(b"content-length:")
                )
                reply = await self._reply(await reader.readexactly(length))
                size = f"content-length: {len(reply.body)}\r\n{reply.headers}\r\n"
                writer.write(f"HTTP/1.1 {reply.status} .\r\n{size}".encode() + reply.body)
                await writer.drain()
        except (asyncio.IncompleteReadError, ConnectionError, httpx.HTTPError, asyncio.CancelledError):
            # the client, the node or the test is done
            return
        finally:
            self._open.discard(task)
            writer.close()

    async def _reply(self, body: bytes) -> Reply:
        asked = json.loads(body)
        call = Call(asked["method"], asked.get("params") or [], body, self._forward)
        self.calls[call.method] += 1
        for fault in list(self.faults):
            answer = await fault(call)
            if isinstance(answer, Reply):
                return answer
            if answer is not None:
                return Reply(200, json.dumps(answer).encode())
        return Reply(200, json.dumps(await call.on()).encode())

    async def _forward(self, body: bytes) -> Any:
        answer = await self._http.post(self.upstream, content=body, headers={"content-type": "application/json"})
        return answer.json()

    async def close(self) -> None:
        for task in list(self._open):
            task.cancel()
        await asyncio.gather(*self._open, return_exceptions=True)
        await self._http.aclose()


@contextlib.asynccontextmanager
async def faulty_node(upstream: str) -> AsyncIterator[FaultyNode]:
    """A node in good health, until a fault is added."""
    node = FaultyNode(upstream)
    server = await asyncio.start_server(node.serve, "127.0.0.1", 0)
    node.url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    try:
        yield node
    finally:
        server.close()
        await node.close()
