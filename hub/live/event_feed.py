"""One reader of the outbox for all live streams: it listens for commits, reads in order, fills bounded queues.

Sequence numbers are assigned before the commit, so a gap may still be filled. The reader waits at a gap until every
transaction that could fill it has ended. A stream's ``Last-Event-ID`` therefore covers every earlier event.
"""

import asyncio
import contextlib
import json
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

import asyncpg
import structlog

from hub.live import repository
from hub.live.outbox import CHANNEL
from hub.postgres.db import Connection, Pool

log = structlog.get_logger()
MAX_SUBSCRIBERS = 500
MAX_PER_USER = 20
"""Enough for a person's tabs and devices."""
QUEUE_EVENTS = 256
BATCH = 500
GAP_WAIT_S = 0.02
GAP_TIMEOUT_S = 5.0
POLL_S = 10.0
RECONNECT_S = 1.0


@dataclass(frozen=True)
class Event:
    """An event of the outbox, ready to be written to a stream."""

    sequence: int
    topic: str
    participant_id: UUID | None
    payload: Any

    def encode(self) -> bytes:
        """Returns the event in the format text/event-stream."""
        data = json.dumps(self.payload, separators=(",", ":"))
        return f"id: {self.sequence}\nevent: {self.topic}\ndata: {data}\n\n".encode()


@dataclass(eq=False)
class Subscriber:
    """The queue of one stream; None in it ends the stream."""

    participant_id: UUID | None
    reads_all: bool
    start_sequence: int
    user_id: UUID | None = None
    queue: asyncio.Queue[Event | None] = field(default_factory=lambda: asyncio.Queue(QUEUE_EVENTS))
    dropped: bool = False

    def sees(self, event: Event) -> bool:
        """Returns whether the reader may see the event: it is public or the reader's own."""
        return self.reads_all or event.participant_id is None or event.participant_id == self.participant_id

    def offer(self, event: Event) -> None:
        """Queues the event; a stream whose queue is full is ended, and the client resumes with Last-Event-ID."""
        if self.dropped or not self.sees(event):
            return
        try:
            self.queue.put_nowait(event)
        except asyncio.QueueFull:
            self.end()

    def end(self) -> None:
        """Ends the stream after the event that it is writing."""
        self.dropped = True
        while not self.queue.empty():
            self.queue.get_nowait()
        self.queue.put_nowait(None)


class EventFeed:
    """Follows the outbox from the moment it starts."""

    def __init__(self, pool: Pool) -> None:
        self.pool = pool
        self.position = 0
        """Sequence number up to which all events were delivered."""
        self._subscribers: set[Subscriber] = set()
        self._wake = asyncio.Event()
        self._task: asyncio.Task[None] | None = None
        self._closed = False
        self._following = True

    @property
    def subscribers(self) -> int:
        return len(self._subscribers)

    @property
    def broken(self) -> bool:
        """Whether the feed was started and does not follow the outbox right now."""
        return self._task is not None and (self._task.done() or not self._following)

    async def start(self) -> None:
        """Starts to follow the outbox at its present end."""
        async with self.pool.acquire(timeout=5) as connection:
            self.position = await repository.last_sequence(connection)
        self._task = asyncio.create_task(self._run(), name="live-feed")

    async def stop(self) -> None:
        """Ends every stream and the reader."""
        self.end_streams()
        if self._task is not None:
            self._task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._task

    def end_streams(self) -> None:
        """Ends every stream, now and from now on, so that a server can shut down."""
        self._closed = True
        for subscriber in list(self._subscribers):
            subscriber.end()

    def subscribe(self, participant_id: UUID | None, reads_all: bool, user_id: UUID | None = None) -> Subscriber | None:
        """Adds a stream from the present position on; returns None when there are too many or the server stops."""
        if self._closed or len(self._subscribers) >= MAX_SUBSCRIBERS:
            return None
        subscriber = Subscriber(participant_id, reads_all, self.position, user_id)
        self._subscribers.add(subscriber)
        return subscriber

    def has_max_streams(self, user_id: UUID) -> bool:
        """Returns whether the user has the most streams that one user may have."""
        return sum(subscriber.user_id == user_id for subscriber in self._subscribers) >= MAX_PER_USER

    def unsubscribe(self, subscriber: Subscriber) -> None:
        """Removes the stream."""
        self._subscribers.discard(subscriber)

    async def _run(self) -> None:
        while True:
            try:
                async with self.pool.acquire(timeout=5) as connection:
                    await self._follow(connection)
            except (OSError, asyncpg.PostgresError, asyncpg.InterfaceError, TimeoutError) as error:
                log.warning("the live feed lost the database and tries again", error=repr(error))
            await asyncio.sleep(RECONNECT_S)

    async def _follow(self, connection: Connection) -> None:
        def wake(*_: object) -> None:
            self._wake.set()

        await connection.add_listener(CHANNEL, wake)
        self._following = True
        connection.add_termination_listener(wake)
        try:
            while not connection.is_closed():
                self._wake.clear()
                await self._drain(connection)
                with contextlib.suppress(TimeoutError):
                    await asyncio.wait_for(self._wake.wait(), POLL_S)
        finally:
            self._following = False
            if not connection.is_closed():
                connection.remove_termination_listener(wake)
                await connection.remove_listener(CHANNEL, wake)

    async def _drain(self, connection: Connection) -> None:
        while True:
            rows = await repository.after(connection, self.position, BATCH)
            for row in rows:
                if row["sequence"] != self.position + 1:
                    await self._wait_for_gap(connection, row["sequence"])
                    break
                self._deliver([row])
            if not rows:
                return

    async def _wait_for_gap(self, connection: Connection, until: int) -> None:
        """Waits for transactions that may still commit numbers before ``until``, then delivers what was committed."""
        next_transaction = await repository.next_transaction(connection)
        deadline_s = time.monotonic() + GAP_TIMEOUT_S
        while (  # noqa: ASYNC110 - other sessions' transactions tell nobody when they end
            await repository.oldest_running_transaction(connection) < next_transaction and time.monotonic() < deadline_s
        ):
            await asyncio.sleep(GAP_WAIT_S)
        self._deliver(await repository.between(connection, self.position, until))

    def _deliver(self, rows: Sequence[Any]) -> None:
        for row in rows:
            event = Event(row["sequence"], row["topic"], row["participant_id"], row["payload"])
            for subscriber in list(self._subscribers):
                subscriber.offer(event)
            self.position = event.sequence
