"""Pulls frames from the stream in batches, stores them, acknowledges them after the commit and sends receipts.

Every copy of the worker pulls from the same durable consumer. When a copy dies, the messages that it had not
acknowledged are delivered again, to any copy; storing a frame again changes nothing.
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
from hub.ingest.receipts import ReceiptSender
from hub.ingest.service import Incoming, Outcome
from hub.observability import metrics
from hub.observability.outage import Outage
from hub.postgres.db import Pool

DURABLE_NAME = "ingest"
NATS_PAUSE_S = 1
RETRY_PAUSES_S = (0.1, 0.5, 1, 2, 5)

log = structlog.get_logger()


@dataclass(frozen=True)
class Limits:
    """The bounds of one copy of the worker."""

    batch: int = 256
    """Messages of a batch, at most."""
    lanes: int = 2
    """Loops that each store one batch at a time: one verifies its batch while the database writes another's."""
    poll_s: float = 2
    """How long one pull waits for messages."""
    ack_wait_s: float = 30
    """After this long without an acknowledgement a frame is delivered again."""
    release_every_s: float = 1
    """How often waiting readings are looked at, at least."""


class Consumer:
    """The ingest loops of one copy of the worker."""

    def __init__(
        self,
        pool: Pool,
        client: Client,
        receipts: ReceiptSender,
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
        self._new_declarations = asyncio.Event()
        self._oldest_unstored_ms: dict[int, int] = {}
        """By lane with a batch that is not stored yet: when its oldest message was published, in ms since 1970."""

    async def run(self) -> None:
        """Runs until cancelled; frames that were not committed stay in the stream."""
        await self._add_consumer()
        async with asyncio.TaskGroup() as group:
            for lane in range(self._limits.lanes):
                group.create_task(self._store_batches(lane))
            group.create_task(self._release_waiting())

    async def _add_consumer(self) -> None:
        limits = self._limits
        await self._client.jetstream().add_consumer(
            bus.STREAM,
            ConsumerConfig(
                durable_name=DURABLE_NAME,
                ack_policy=AckPolicy.EXPLICIT,
                ack_wait=limits.ack_wait_s,
                max_ack_pending=16 * limits.batch,
                max_waiting=128,
                filter_subject=bus.FRAME_SUBJECTS,
            ),
        )

    async def _store_batches(self, lane: int) -> None:
        limits = self._limits
        outage = Outage("frames")
        async with PullConsumer(
            self._client, bus.STREAM, DURABLE_NAME, batch=limits.batch, expires_s=limits.poll_s
        ) as pull_consumer:
            while True:
                try:
                    messages = await pull_consumer.next()
                    now_ms, drained = self._clock.now_ms(), pull_consumer.drained
                    published_ms = [to_ms(message.metadata.timestamp) for message in messages]
                    self._oldest_unstored_ms[lane] = min(published_ms, default=now_ms)
                    if await self._store_and_acknowledge(messages, published_ms, now_ms):
                        del self._oldest_unstored_ms[lane]
                        newest_ms = None if drained else max(published_ms, default=0)
                        stored_ms = all_stored_ms(now_ms, newest_ms, self._oldest_unstored_ms.values())
                        await self._coverage.record(stored_ms)
                    outage.ends()
                except NatsError as error:
                    # a frame that was stored but not acknowledged is delivered again and changes nothing
                    outage.begins(error)
                    await asyncio.sleep(NATS_PAUSE_S)
                finally:
                    self._oldest_unstored_ms.pop(lane, None)

    async def _store_and_acknowledge(self, messages: Sequence[Msg], published_ms: Sequence[int], now_ms: int) -> bool:
        """Returns True when all messages are stored, or refused for good."""
        if not messages:
            return True
        incoming = [
            Incoming(message.subject, message.data, message_ms, now_ms)
            for message, message_ms in zip(messages, published_ms, strict=True)
        ]
        outcome = await self._store(incoming)
        if outcome is None:
            for message in messages:
                await message.nak()
            return False
        if outcome.new_declarations:
            self._new_declarations.set()
        for position, message in enumerate(messages):
            await (message.term() if position in outcome.refused else message.ack())
        await self._receipts.after_storing(outcome.stored)
        metrics.PUBLISH_TO_STORED_SECONDS.observe(max(0, self._clock.now_ms() - min(published_ms)) / 1000)
        return True

    async def _store(self, incoming: Sequence[Incoming]) -> Outcome | None:
        """Tries once for each of ``RETRY_PAUSES_S``; returns None when the messages have to be delivered again."""
        for pause_s in RETRY_PAUSES_S:
            try:
                with metrics.BATCH_SECONDS.time():
                    outcome = await service.store_batch(self._pool, self._clock, incoming)
            except (OSError, asyncpg.PostgresError, asyncpg.InterfaceError) as error:
                metrics.RETRIES.inc()
                log.warning("batch not stored, trying again", error=str(error), messages=len(incoming))
                await asyncio.sleep(pause_s)
            else:
                return outcome
        return None

    async def _release_waiting(self) -> None:
        """Stores readings that waited until their meter was declared by the gateway and assigned by an operator."""
        outage = Outage("release")
        while True:
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._new_declarations.wait(), self._limits.release_every_s)
            self._new_declarations.clear()
            try:
                while await service.release_waiting(self._pool):
                    pass
                outage.ends()
            except (OSError, asyncpg.PostgresError, asyncpg.InterfaceError) as error:
                outage.begins(error)
