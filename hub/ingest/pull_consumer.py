"""Pulls messages of a durable JetStream consumer; a batch is whatever has arrived.

nats-py's own ``fetch`` returns only when the batch is full or the time is over, which would delay a single frame.
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

log = structlog.get_logger()

UNFILLED_STATUSES = {"404", "408"}
"""JetStream's answers to a pull request that it ends before it is filled: no messages, time over."""


class PullConsumer:
    """Keeps at most one pull request open, so that the messages in memory are bounded; use it with ``async with``."""

    def __init__(self, client: Client, stream: str, durable: str, *, batch: int, expires_s: float) -> None:
        self._client = client
        self._subject = f"$JS.API.CONSUMER.MSG.NEXT.{stream}.{durable}"
        self._request = json.dumps({"batch": batch, "expires": int(expires_s * 1e9)}).encode()
        self._batch = batch
        self._expires_s = expires_s
        self._inbox = client.new_inbox()
        self._received: deque[Msg] = deque()
        self._wake = asyncio.Event()
        self._requested = 0
        """Messages that the open pull request may still deliver."""
        self._pause_s = 0.0
        self._drained = False
        self._subscription: Subscription | None = None

    async def __aenter__(self) -> Self:
        self._subscription = await self._client.subscribe(
            self._inbox, cb=self._receive, pending_msgs_limit=4 * self._batch
        )
        return self

    async def __aexit__(self, *_: object) -> None:
        if self._subscription is not None and not self._client.is_closed:
            try:
                await self._subscription.unsubscribe()
            except NatsError as error:
                log.debug("unsubscribing", error=str(error))

    @property
    def drained(self) -> bool:
        """Whether the server reported no more messages and ``next`` has returned all that it sent."""
        return self._drained and not self._received

    async def next(self) -> list[Msg]:
        """Waits for messages and returns them in order, at most one batch; an empty list when the time is over."""
        while not self._received:
            # Before it asks: what comes meanwhile is not waited for
            self._wake.clear()
            await self._request_batch()
            try:
                # the server answers within expires_s; one second later the request counts as lost
                async with asyncio.timeout(self._expires_s + 1):
                    await self._wake.wait()
            except TimeoutError:
                self._requested = 0
                self._drained = False
                return []
            if not self._received:
                return []
        messages = [self._received.popleft() for _ in range(len(self._received))]
        await self._request_batch()
        return messages

    async def _request_batch(self) -> None:
        """Opens a pull request unless one is open."""
        if self._requested > 0:
            return
        if self._pause_s:
            await asyncio.sleep(self._pause_s)
        self._requested = self._batch
        await self._client.publish(self._subject, self._request, reply=self._inbox)

    async def _receive(self, message: Msg) -> None:
        status = (message.headers or {}).get("Status") if not message.data else None
        if status is None:
            self._pause_s = 0.0
            self._requested -= 1
            self._drained = message.metadata.num_pending == 0
            self._received.append(message)
        else:
            self._requested = 0
            self._drained = status in UNFILLED_STATUSES
            if status not in UNFILLED_STATUSES:
                self._pause_s = 1.0
                log.warning("frames can not be pulled right now", status=status, reason=message.headers)
        self._wake.set()
