"""An RPC node with faults: a real HTTP server in front of a real node that forwards, changes or refuses calls."""

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

from support.servers.listener import listening
from support.waiting import PATIENCE_S

Result = Mapping[str, Any]
"""A JSON-RPC answer."""


@dataclass(frozen=True)
class Reply:
    """An HTTP response that is sent as it is."""

    status: int
    body: bytes = b""
    headers: str = ""


@dataclass
class Call:
    """One JSON-RPC request."""

    method: str
    params: list[Any]
    body: bytes
    forward: Callable[[bytes], Awaitable[Any]]

    async def on(self) -> Any:
        """Forwards the request; returns the real node's answer."""
        return await self.forward(self.body)

    def answer(self, result: Any) -> Result:
        """Returns a JSON-RPC answer to this request."""
        return {"jsonrpc": "2.0", "id": json.loads(self.body)["id"], "result": result}

    def signature(self) -> str:
        """Returns the signature (base58) of the transaction that this `sendTransaction` carries."""
        return str(VersionedTransaction.from_bytes(base64.b64decode(self.params[0])).signatures[0])


Fault = Callable[[Call], Awaitable[Reply | Result | None]]
"""Answers a call in the real node's place; returns None for a call that it leaves alone."""


@dataclass
class FaultyNode:
    """Lets ``faults``, in order, answer each call; forwards those that none of them answers."""

    upstream: str
    http: httpx.AsyncClient
    faults: list[Fault] = field(default_factory=list)
    calls: Counter[str] = field(default_factory=Counter)
    """How often each method was called."""
    url: str = ""

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Answers the HTTP requests of one connection."""
        while True:
            head = await reader.readuntil(b"\r\n\r\n")
            length = next(int(line[15:]) for line in head.lower().splitlines() if line.startswith(b"content-length:"))
            reply = await self._reply(await reader.readexactly(length))
            size = f"content-length: {len(reply.body)}\r\n{reply.headers}\r\n"
            writer.write(f"HTTP/1.1 {reply.status} .\r\n{size}".encode() + reply.body)
            await writer.drain()

    async def _reply(self, body: bytes) -> Reply:
        request = json.loads(body)
        call = Call(request["method"], request.get("params") or [], body, self._forward)
        self.calls[call.method] += 1
        for fault in list(self.faults):
            answer = await fault(call)
            if isinstance(answer, Reply):
                return answer
            if answer is not None:
                return Reply(200, json.dumps(answer).encode())
        return Reply(200, json.dumps(await call.on()).encode())

    async def _forward(self, body: bytes) -> Any:
        try:
            answer = await self.http.post(self.upstream, content=body, headers={"content-type": "application/json"})
        except httpx.HTTPError as error:
            raise ConnectionError(f"{self.upstream} does not answer") from error
        return answer.json()


@contextlib.asynccontextmanager
async def faulty_node(upstream: str) -> AsyncIterator[FaultyNode]:
    """Runs a node that passes everything on to the RPC URL ``upstream`` until a fault is added."""
    async with httpx.AsyncClient(timeout=PATIENCE_S) as http:
        node = FaultyNode(upstream, http)
        async with listening(node.serve) as listener:
            node.url = f"http://127.0.0.1:{listener.port}"
            yield node
