"""The WebSocket side: one bounded connection per client, whose answers and notifications leave through one queue."""

import asyncio
import contextlib
import json
import logging
from collections.abc import Sequence
from typing import Any

from starlette.websockets import WebSocket, WebSocketDisconnect, WebSocketState

from hub.ledger.chain import Chain
from hub.ledger.rpc.calls import answer
from hub.ledger.rpc.subscription_registry import SubscriptionRegistry
from hub.ledger.rpc.subscriptions import SubscriptionMethods

logger = logging.getLogger(__name__)

MAX_CONNECTIONS = 64
MAX_WAITING = 1000
"""Answers and notifications that wait for one client; one that does not take them is disconnected."""
MAX_MESSAGE_BYTES = 64 * 1024
_TRY_AGAIN_LATER, _POLICY = 1013, 1008
_CLOSE_S = 1.0


class PubSub:
    """All WebSocket connections of one ledger."""

    def __init__(self, chain: Chain, origins: Sequence[str]) -> None:
        self.registry = SubscriptionRegistry(chain)
        self._chain = chain
        self._origins = frozenset(origins)
        self._connections = 0

    async def serve(self, socket: WebSocket) -> None:
        """One connection, from handshake to end. A page of an origin that is not configured gets none (403)."""
        origin = socket.headers.get("origin")
        if origin is not None and origin not in self._origins:
            await socket.close(_POLICY)
            return
        await socket.accept()
        if self._connections >= MAX_CONNECTIONS:
            await socket.close(_TRY_AGAIN_LATER, "too many connections")
            return
        self._connections += 1
        try:
            await _Connection(self._chain, self.registry, socket).run()
        finally:
            self._connections -= 1


class _Connection:
    def __init__(self, chain: Chain, registry: SubscriptionRegistry, socket: WebSocket) -> None:
        self._socket = socket
        self._waiting: asyncio.Queue[str] = asyncio.Queue(MAX_WAITING)
        self._overrun = asyncio.Event()
        self._calls = SubscriptionMethods(chain, registry, self._push)

    async def run(self) -> None:
        tasks = [asyncio.create_task(one) for one in (self._read(), self._write(), self._overrun.wait())]
        try:
            done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        finally:
            self._calls.close()
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
        for task in done:
            if (error := task.exception()) and not isinstance(error, WebSocketDisconnect | RuntimeError):
                logger.error("A WebSocket connection failed", exc_info=error)
        await self._close()

    async def _close(self) -> None:
        if self._socket.application_state is WebSocketState.CONNECTED:
            code, why = (_TRY_AGAIN_LATER, "notifications were not taken") if self._overrun.is_set() else (1000, "")
            with contextlib.suppress(TimeoutError, RuntimeError, WebSocketDisconnect):
                await asyncio.wait_for(self._socket.close(code, why), _CLOSE_S)

    async def _read(self) -> None:
        while True:
            text = await self._socket.receive_text()
            value = answer(text.encode(), self._calls.methods)
            self._push(value)
            for one in value if isinstance(value, list) else [value]:
                self._calls.after_answer(one.get("result"))

    async def _write(self) -> None:
        while True:
            await self._socket.send_text(await self._waiting.get())

    def _push(self, value: Any) -> None:
        try:
            self._waiting.put_nowait(json.dumps(value, separators=(",", ":")))
        except asyncio.QueueFull:
            self._overrun.set()
