"""Takes frames from the stream in batches, has them stored, acknowledges after the commit and sends receipts.

Every copy of the hub pulls from the same durable consumer. What a copy held when it died is delivered again, to any of
them, and storing it again changes nothing.
"""

import asyncio
import contextlib
from collections.abc import Sequence
from dataclasses import dataclass

import asyncpg
import structlog
from nats.aio.client import Client
from nats.aio.msg import Msg
from nats.errors import Error as NatsError
from nats.js.api import AckPolicy, ConsumerConfig

from hub.clock import Clock, to_ms
from hub.ingest import bus, service
from hub.ingest.coverage import CoverageRecorder, all_stored_ms
from hub.ingest.pull_consumer import PullConsumer
from hub.ingest.receipts import Receipts
from hub.ingest.service import Incoming, Outcome
from hub.observability import metrics
from hub.observability.outage import Outage
from hub.postgres.db import Pool

DURABLE = "ingest"
NATS_PAUSE_S = 1
RETRY_PAUSES_S = (0.1, 0.5, 1, 2, 5)

_log = structlog.get_logger(__name__)


@dataclass(frozen=True)
class Limits:
    """The bounds of one copy."""

    batch: int = 256
    lanes: int = 2
    """Batches on their way at once: one is verified while the database writes another."""
    poll_s: float = 2
    ack_wait_s: float = 30
    """After this long without an acknowledgement a frame is delivered again."""
    release_every_s: float = 1


class Consumer:
    """The ingest loop of one copy; ``run`` ends only by cancellation."""

    def __init__(
        self,
        pool: Pool,
        client: Client,
        receipts: Receipts,
        clock: Clock,
        coverage: CoverageRecorder,
        limits: Limits | None = None,
    ) -> None:
        self._pool = pool
        self._client = client
        self._receipts = receipts
        self._clock = clock
        self._coverage = coverage
        self._limits = limits or Limits()
        self._declared = asyncio.Event()
        self._held: dict[int, int] = {}
        """By lane that has not stored its batch yet: when the oldest message of it was published, in ms."""

    async def run(self) -> None:
        """Serves until cancelled; what was not committed stays in the stream."""
        await self._make_consumer()
        async with asyncio.TaskGroup() as group:
            for lane in range(self._limits.lanes):
                group.create_task(self._lane(lane))
            group.create_task(self._release())

    async def _make_consumer(self) -> None:
        limits = self._limits
        await self._client.jetstream().add_consumer(
            bus.STREAM,
            ConsumerConfig(
                durable_name=DURABLE,
                ack_policy=AckPolicy.EXPLICIT,
                ack_wait=limits.ack_wait_s,
                max_ack_pending=16 * limits.batch,
                max_waiting=128,
                filter_subject=bus.FRAME_SUBJECTS,
            ),
        )

    async def _lane(self, lane: int) -> None:
        limits = self._limits
        outage = Outage("frames")
        async with PullConsumer(self._client, bus.STREAM, DURABLE, batch=limits.batch, expires_s=limits.poll_s) as feed:
            while True:
                try:
                    messages = await feed.next()
                    now_ms, drained = self._clock.now_ms(), feed.drained
                    published = [to_ms(message.metadata.timestamp) for message in messages]
                    self._held[lane] = min(published, default=now_ms)
                    if await self._take(messages, published, now_ms):
                        del self._held[lane]
                        newest = None if drained else max(published, default=0)
                        await self._coverage.record(all_stored_ms(now_ms, newest, self._held.values()))
                    outage.ends()
                except NatsError as error:
                    # what was stored without an acknowledgement comes again and changes nothing
                    outage.begins(error)
                    await asyncio.sleep(NATS_PAUSE_S)
                finally:
                    self._held.pop(lane, None)

    async def _take(self, messages: Sequence[Msg], published: Sequence[int], now_ms: int) -> bool:
        """True when all of them are stored, or refused for good."""
        if not messages:
            return True
        pairs = zip(messages, published, strict=True)
        incoming = [Incoming(message.subject, message.data, at_ms, now_ms) for message, at_ms in pairs]
        outcome = await self._store(incoming)
        if outcome is None:
            for message in messages:
                await message.nak()
            return False
        if outcome.new_declarations:
            self._declared.set()
        for position, message in enumerate(messages):
            await (message.term() if position in outcome.refused else message.ack())
        await self._receipts.after_storing(outcome.stored)
        metrics.PUBLISH_TO_STORED_SECONDS.observe(max(0, self._clock.now_ms() - min(published)) / 1000)
        return True

    async def _store(self, incoming: Sequence[Incoming]) -> Outcome | None:
        """Tries for as long as the messages are ours; None when they have to be delivered again."""
        for pause in RETRY_PAUSES_S:
            try:
                with metrics.BATCH_SECONDS.time():
                    outcome = await service.store_batch(self._pool, self._clock, incoming)
            except (OSError, asyncpg.PostgresError, asyncpg.InterfaceError) as error:
                metrics.RETRIES.inc()
                _log.warning("batch not stored, trying again", error=str(error), messages=len(incoming))
                await asyncio.sleep(pause)
            else:
                return outcome
        return None

    async def _release(self) -> None:
        """Readings wait for their meter to be declared, or assigned by an operator."""
        outage = Outage("release")
        while True:
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._declared.wait(), self._limits.release_every_s)
            self._declared.clear()
            try:
                while await service.release_waiting(self._pool):
                    pass
                outage.ends()
            except (OSError, asyncpg.PostgresError, asyncpg.InterfaceError) as error:
                outage.begins(error)
