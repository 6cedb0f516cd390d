"""The WebSocket server: each connection sends answers and notifications through one bounded queue."""

import asyncio
import contextlib
import json
from collections.abc import Sequence
from typing import Any

import structlog
from starlette.websockets import WebSocket, WebSocketDisconnect, WebSocketState

from hub.ledger.chain import Chain
from hub.ledger.rpc.calls import answer
from hub.ledger.rpc.subscription_registry import SubscriptionRegistry
from hub.ledger.rpc.subscriptions import SubscriptionMethods

log = structlog.get_logger()

MAX_CONNECTIONS = 64
MAX_OUTGOING = 1000
"""Answers and notifications that wait for one client; a client that does not read them is disconnected."""
MAX_MESSAGE_BYTES = 64 * 1024
_CLOSE_TRY_AGAIN_LATER, _CLOSE_POLICY_VIOLATION = 1013, 1008
_CLOSE_TIMEOUT_S = 1.0


class PubSub:
    """All WebSocket connections of one ledger."""

    def __init__(self, chain: Chain, origins: Sequence[str]) -> None:
        self.registry = SubscriptionRegistry(chain)
        self._chain = chain
        self._origins = frozenset(origins)
        self._connections = 0

    async def serve(self, socket: WebSocket) -> None:
        """Serves one connection until its end. A page whose origin is not configured is refused (403)."""
        origin = socket.headers.get("origin")
        if origin is not None and origin not in self._origins:
            await socket.close(_CLOSE_POLICY_VIOLATION)
            return
        await socket.accept()
        if self._connections >= MAX_CONNECTIONS:
            await socket.close(_CLOSE_TRY_AGAIN_LATER, "too many connections")
            return
        self._connections += 1
        try:
            await _Connection(self._chain, self.registry, socket).run()
        finally:
            self._connections -= 1


class _Connection:
    def __init__(self, chain: Chain, registry: SubscriptionRegistry, socket: WebSocket) -> None:
        self._socket = socket
        self._outgoing: asyncio.Queue[str] = asyncio.Queue(MAX_OUTGOING)
        self._overrun = asyncio.Event()
        self._calls = SubscriptionMethods(chain, registry, self._push)

    async def run(self) -> None:
        tasks = [asyncio.create_task(coroutine) for coroutine in (self._read(), self._write(), self._overrun.wait())]
        try:
            finished, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        finally:
            self._calls.close()
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
        for task in finished:
            if (error := task.exception()) and not isinstance(error, WebSocketDisconnect | RuntimeError):
                log.error("a WebSocket connection failed", exc_info=error)
        await self._close()

    async def _close(self) -> None:
        if self._socket.application_state is WebSocketState.CONNECTED:
            code, reason = 1000, ""
            if self._overrun.is_set():
                code, reason = _CLOSE_TRY_AGAIN_LATER, "notifications were not taken"
            with contextlib.suppress(TimeoutError, RuntimeError, WebSocketDisconnect):
                await asyncio.wait_for(self._socket.close(code, reason), _CLOSE_TIMEOUT_S)

    async def _read(self) -> None:
        while True:
            text = await self._socket.receive_text()
            value = answer(text.encode(), self._calls.methods)
            self._push(value)
            for reply in value if isinstance(value, list) else [value]:
                self._calls.after_answer(reply.get("result"))

    async def _write(self) -> None:
        while True:
            await self._socket.send_text(await self._outgoing.get())

    def _push(self, value: Any) -> None:
        try:
            self._outgoing.put_nowait(json.dumps(value, separators=(",", ":")))
        except asyncio.QueueFull:
            self._overrun.set()
