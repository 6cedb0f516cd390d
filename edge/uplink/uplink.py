"""Sends frames to the hub over JetStream, new ones at once and the backlog behind, until its signed receipt comes.

Frames come in from the ledger writer; receipts and resend requests come in from the hub.
"""

import asyncio
import contextlib
import logging
import random
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from nats.aio.client import Client
from nats.aio.msg import Msg
from nats.errors import Error as NatsError
from nats.js.errors import NoStreamResponseError

from edge.errors import HubUnreachableError, StorageError
from edge.runtime import metrics
from edge.store.ledger_writer import LedgerWriter
from edge.store.repository import StoredFrame
from edge.uplink.nats_link import NatsLink
from edge.wire import resend_requests, subjects
from edge.wire.errors import WireError
from edge.wire.receipts import Receipt, open_receipt

PUBLISH_S = 10.0
BACKLOG_DELAY_S = 1.0
"""The backlog waits for the answer to the first heartbeat: the hub may have much of it already."""
FIRST_RETRY_S, LAST_RETRY_S = 0.5, 60.0
RESEND_AFTER_S = 180.0
"""Longer than JetStream's duplicate window of two minutes, which would drop a frame that is sent again."""
WINDOW = 1000
"""Frames that may be published without a receipt; then the backlog waits."""
LIVE_QUEUE, PAGE = 256, 200
"""In frames."""
MAX_RESENT_FRAMES = 10_000
"""For one request."""

FrameKey = tuple[bytes, int]
"""(boot id, sequence)."""

log = logging.getLogger(__name__)


@dataclass
class Uplink:
    """Keeps one connection to the hub until cancelled. What is not delivered stays in the ledger."""

    gateway_id: str
    receipt_key: bytes
    """The hub's public key for receipts."""
    link: NatsLink
    writer: LedgerWriter
    frames_per_s: int
    """At most, of backlog and of answers to resend requests."""
    on_connect: Callable[[Client], object]
    """Called with every new connection."""
    jitter: random.Random = field(default_factory=random.SystemRandom)
    _live: deque[StoredFrame] = field(default_factory=lambda: deque(maxlen=LIVE_QUEUE))
    _live_added: asyncio.Event = field(default_factory=asyncio.Event)
    _live_sent: asyncio.Event = field(default_factory=asyncio.Event)
    _resend_requests: asyncio.Queue[resend_requests.ResendRequest] = field(default_factory=lambda: asyncio.Queue(16))
    _published_at_s: dict[FrameKey, float] = field(default_factory=dict)
    """Frames of this connection that have no receipt yet, by the event loop's clock."""
    _client: Client | None = None
    _trouble: str = "not connected yet"

    @property
    def client(self) -> Client | None:
        """The connection, while there is one."""
        return self._client

    @property
    def trouble(self) -> str:
        """Why frames can not go out; empty when they can."""
        return self._trouble

    def offer(self, frames: Sequence[StoredFrame]) -> None:
        """Queues new frames for the live lane; when it overflows, the oldest are left to the backlog lane."""
        metrics.FRAMES_SEALED.inc(len(frames))
        self._live.extend(frames)
        self._live_added.set()

    async def run(self) -> None:
        """Connects and delivers until cancelled."""
        retry_s = FIRST_RETRY_S
        while True:
            begun_s = _now_s()
            try:
                await self._session()
            except* (NatsError, OSError, TimeoutError, StorageError, HubUnreachableError) as group:
                self._set_trouble("; ".join(str(error) or type(error).__name__ for error in group.exceptions))
            finally:
                self._client = None
                metrics.CONNECTED.set(0)
            if _now_s() - begun_s > LAST_RETRY_S:
                retry_s = FIRST_RETRY_S
            await asyncio.sleep(retry_s * self.jitter.uniform(0.5, 1.5))
            retry_s = min(2 * retry_s, LAST_RETRY_S)

    async def drain(self, seconds: float) -> None:
        """Waits until the live lane is empty, at most for so many seconds."""
        if self._live and self._client is not None:
            self._live_sent.clear()
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(seconds):
                    await self._live_sent.wait()

    async def _session(self) -> None:
        async with self.link.connected() as client:
            await client.subscribe(subjects.receipt_subject(self.gateway_id), cb=self._on_receipt)
            await client.subscribe(subjects.resend_request_subject(self.gateway_id), cb=self._on_resend_request)
            await client.flush(timeout=5)
            if self._trouble:
                log.info("hub connected", extra={"url": self.link.url})
            self._client, self._trouble = client, ""
            metrics.CONNECTED.set(1)
            self._published_at_s.clear()
            self.on_connect(client)
            async with asyncio.TaskGroup() as group:
                group.create_task(self.link.watch())
                group.create_task(self._live_lane(client))
                group.create_task(self._backlog_lane(client))
                group.create_task(self._resend_lane(client))

    async def _live_lane(self, client: Client) -> None:
        while True:
            while self._live:
                # It stays in the queue until it is published: ``drain`` waits for an empty one
                stored = self._live[0]
                await self._publish(client, stored, "live")
                if self._live and self._live[0] is stored:
                    self._live.popleft()
            self._live_added.clear()
            self._live_sent.set()
            await self._live_added.wait()

    async def _backlog_lane(self, client: Client) -> None:
        """Sends everything without a receipt, oldest first, again and again."""
        await asyncio.sleep(BACKLOG_DELAY_S)
        while True:
            sent = await self._send_backlog(client)
            await asyncio.sleep(1.0 if sent else 5.0)

    async def _send_backlog(self, client: Client) -> int:
        """Sends what is due until the window is full; returns how many frames."""
        after_id, sent = 0, 0
        while page := await self.writer.call(self._waiting_page, after_id):
            after_id = page[-1].id
            for stored in page:
                if not self._is_due(stored):
                    continue
                if not self._is_published(stored) and len(self._published_at_s) >= WINDOW:
                    return sent
                await self._publish(client, stored, "backlog")
                await asyncio.sleep(1 / self.frames_per_s)
                sent += 1
        return sent

    def _is_due(self, stored: StoredFrame) -> bool:
        """Returns whether a frame is neither in the live lane nor published a short while ago."""
        if any(frame.id == stored.id for frame in self._live):
            return False
        published_at_s = self._published_at_s.get((stored.boot_id, stored.sequence))
        return published_at_s is None or _now_s() - published_at_s >= RESEND_AFTER_S

    def _is_published(self, stored: StoredFrame) -> bool:
        return (stored.boot_id, stored.sequence) in self._published_at_s

    async def _resend_lane(self, client: Client) -> None:
        """Answers the hub's resend requests, one after the other."""
        while True:
            request = await self._resend_requests.get()
            first, last = request.first, min(request.last, request.first + MAX_RESENT_FRAMES - 1)
            while page := await self.writer.call(self._frames_page, request.boot_id, first, last):
                for stored in page:
                    await self._publish(client, stored, "asked", request.request_id)
                    await asyncio.sleep(1 / self.frames_per_s)
                first = page[-1].sequence + 1

    async def _publish(self, client: Client, stored: StoredFrame, lane: str, request_id: bytes = b"") -> None:
        """Publishes one frame and waits until JetStream has stored it; a duplicate counts as stored."""
        # Before it is sent: the hub's receipt may come before JetStream's answer, and frees the place in the window
        self._published_at_s[stored.boot_id, stored.sequence] = _now_s()
        try:
            await client.jetstream().publish(
                subjects.frame_subject(self.gateway_id),
                stored.frame.encode(),
                timeout=PUBLISH_S,
                headers={"Nats-Msg-Id": subjects.message_id(stored.frame.header_hash, request_id)},
            )
        except NoStreamResponseError as error:
            raise HubUnreachableError(
                "the hub's NATS has no stream for frames: start the hub, or migrate it"
            ) from error
        metrics.FRAMES_PUBLISHED.labels(lane).inc()
        if lane == "live":
            log.info(
                "frame published",
                extra={"header_hash": stored.frame.header_hash.hex(), "sequence": stored.sequence},
            )

    async def _on_receipt(self, message: Msg) -> None:
        try:
            receipt = open_receipt(message.data, self.receipt_key)
        except WireError as error:
            metrics.RECEIPTS.labels(error.code).inc()
            log.warning("receipt refused", extra={"code": error.code, "reason": str(error)})
            return
        if receipt.gateway_id != self.gateway_id:
            metrics.RECEIPTS.labels("other_gateway").inc()
            return
        metrics.RECEIPTS.labels("taken").inc()
        self._forget_published(receipt)
        self.writer.add_receipt(receipt)

    def _forget_published(self, receipt: Receipt) -> None:
        stored = [
            (boot_id, sequence)
            for boot_id, sequence in self._published_at_s
            if any(first <= sequence <= last for first, last in receipt.stored.get(boot_id, ()))
        ]
        for key in stored:
            del self._published_at_s[key]

    async def _on_resend_request(self, message: Msg) -> None:
        try:
            self._resend_requests.put_nowait(resend_requests.decode_resend_request(message.data))
        except (WireError, asyncio.QueueFull) as error:
            log.warning("ask refused", extra={"reason": str(error) or "too many at once"})

    def _waiting_page(self, after_id: int) -> list[StoredFrame]:
        with self.writer.ledger.reading() as repository:
            return repository.waiting_frames(after_id, PAGE)

    def _frames_page(self, boot_id: bytes, first: int, last: int) -> list[StoredFrame]:
        with self.writer.ledger.reading() as repository:
            return repository.frames_of(boot_id, first, last, PAGE)

    def _set_trouble(self, reason: str) -> None:
        """Keeps why frames can not go out; logs it once."""
        if not self._trouble or self._trouble == "not connected yet":
            log.warning("hub lost: frames wait in the ledger", extra={"reason": reason})
        self._trouble = reason


def _now_s() -> float:
    return asyncio.get_running_loop().time()
