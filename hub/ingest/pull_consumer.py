"""Pulls messages of a durable JetStream consumer: whatever has arrived is a batch, and no message waits for a full one.

nats-py's own ``fetch`` returns only when the batch is full or the time is over, which would delay a lone frame.
"""

import asyncio
import json
from collections import deque
from typing import Self

import structlog
from nats.aio.client import Client
from nats.aio.msg import Msg
from nats.aio.subscription import Subscription
from nats.errors import Error as NatsError

_log = structlog.get_logger(__name__)

NOTHING_YET = {"404", "408"}
"""A pull that ended without being filled: no messages, time over."""


class PullConsumer:
    """One open pull request at a time, so the messages held here are bounded; ``async with`` is the way in."""

    def __init__(self, client: Client, stream: str, durable: str, *, batch: int, expires_s: float) -> None:
        self._client = client
        self._subject = f"$JS.API.CONSUMER.MSG.NEXT.{stream}.{durable}"
        self._request = json.dumps({"batch": batch, "expires": int(expires_s * 1e9)}).encode()
        self._batch = batch
        self._expires_s = expires_s
        self._inbox = client.new_inbox()
        self._arrived: deque[Msg] = deque()
        self._awake = asyncio.Event()
        self._credit = 0
        self._pause_s = 0.0
        self._drained = False
        self._subscription: Subscription | None = None

    async def __aenter__(self) -> Self:
        self._subscription = await self._client.subscribe(
            self._inbox, cb=self._arrive, pending_msgs_limit=4 * self._batch
        )
        return self

    async def __aexit__(self, *_: object) -> None:
        if self._subscription is not None and not self._client.is_closed:
            try:
                await self._subscription.unsubscribe()
            except NatsError as error:
                _log.debug("unsubscribing", error=str(error))

    @property
    def drained(self) -> bool:
        """True when the server itself said that the stream has no more than what was handed out."""
        return self._drained and not self._arrived

    async def next(self) -> list[Msg]:
        """What has arrived, in order, at most one batch; an empty list when nothing came in time."""
        while not self._arrived:
            await self._ask()
            self._awake.clear()
            try:
                # one second more than the server allows: then the request is lost, as with a lost connection
                async with asyncio.timeout(self._expires_s + 1):
                    await self._awake.wait()
            except TimeoutError:
                self._credit = 0
                self._drained = False
                return []
            if not self._arrived:
                return []
        messages = [self._arrived.popleft() for _ in range(len(self._arrived))]
        await self._ask()
        return messages

    async def _ask(self) -> None:
        if self._credit > 0:
            return
        if self._pause_s:
            await asyncio.sleep(self._pause_s)
        self._credit = self._batch
        await self._client.publish(self._subject, self._request, reply=self._inbox)

    async def _arrive(self, message: Msg) -> None:
        status = (message.headers or {}).get("Status") if not message.data else None
        if status is None:
            self._pause_s = 0.0
            self._credit -= 1
            self._drained = message.metadata.num_pending == 0
            self._arrived.append(message)
        else:
            self._credit = 0
            self._drained = status in NOTHING_YET
            if status not in NOTHING_YET:
                self._pause_s = 1.0
                _log.warning("frames can not be pulled right now", status=status, reason=message.headers)
        self._awake.set()
