"""One reader of the outbox for all live streams: listens for commits, reads in order, hands to bounded queues.

Sequence numbers are drawn before commit, so a gap may still fill: the reader waits at a gap until every transaction
that could fill it has ended, and a stream's ``Last-Event-ID`` therefore stands for everything before it.
"""

import asyncio
import contextlib
import json
import logging
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

import asyncpg

from hub.live import repository
from hub.live.outbox import CHANNEL
from hub.postgres.db import Connection, Pool

log = logging.getLogger(__name__)
MAX_SUBSCRIBERS = 500
MAX_PER_USER = 20
"""A person has a few tabs and devices."""
QUEUE_EVENTS = 256
BATCH = 500
GAP_WAIT_S = 0.02
GAP_LIMIT_S = 5.0
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
        """The event in text/event-stream form."""
        data = json.dumps(self.payload, separators=(",", ":"))
        return f"id: {self.sequence}\nevent: {self.topic}\ndata: {data}\n\n".encode()


@dataclass(eq=False)
class Subscriber:
    """A stream's queue; None in it ends the stream."""

    participant_id: UUID | None
    sees_all: bool
    since: int
    user_id: UUID | None = None
    queue: asyncio.Queue[Event | None] = field(default_factory=lambda: asyncio.Queue(QUEUE_EVENTS))
    dropped: bool = False

    def sees(self, event: Event) -> bool:
        """Public events, and the reader's own."""
        return self.sees_all or event.participant_id is None or event.participant_id == self.participant_id

    def offer(self, event: Event) -> None:
        """Queues the event; a stream that does not keep up is ended and comes back with Last-Event-ID."""
        if self.dropped or not self.sees(event):
            return
        try:
            self.queue.put_nowait(event)
        except asyncio.QueueFull:
            self.end()

    def end(self) -> None:
        """Lets the stream end after what it is writing now."""
        self.dropped = True
        while not self.queue.empty():
            self.queue.get_nowait()
        self.queue.put_nowait(None)


class EventFeed:
    """Follows the outbox from the moment it starts."""

    def __init__(self, pool: Pool) -> None:
        self.pool = pool
        self.position = 0
        """Everything up to here has been handed out."""
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
        """Started, and not following the outbox right now."""
        return self._task is not None and (self._task.done() or not self._following)

    async def start(self) -> None:
        """Begins at the outbox's present end."""
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

    def subscribe(self, participant_id: UUID | None, sees_all: bool, user_id: UUID | None = None) -> Subscriber | None:
        """A queue for one stream, from the present position on; None when all are taken or the server stops."""
        if self._closed or len(self._subscribers) >= MAX_SUBSCRIBERS:
            return None
        subscriber = Subscriber(participant_id, sees_all, self.position, user_id)
        self._subscribers.add(subscriber)
        return subscriber

    def has_enough(self, user_id: UUID) -> bool:
        """The user has as many streams as one may."""
        return sum(one.user_id == user_id for one in self._subscribers) >= MAX_PER_USER

    def unsubscribe(self, subscriber: Subscriber) -> None:
        """Forgets the stream."""
        self._subscribers.discard(subscriber)

    async def _run(self) -> None:
        while True:
            try:
                async with self.pool.acquire(timeout=5) as connection:
                    await self._follow(connection)
            except (OSError, asyncpg.PostgresError, asyncpg.InterfaceError, TimeoutError) as error:
                log.warning("the live feed lost the database and tries again: %r", error)
            await asyncio.sleep(RECONNECT_S)

    async def _follow(self, connection: Connection) -> None:
        def notified(*_: object) -> None:
            self._wake.set()

        await connection.add_listener(CHANNEL, notified)
        self._following = True
        connection.add_termination_listener(notified)
        try:
            while not connection.is_closed():
                self._wake.clear()
                await self._drain(connection)
                with contextlib.suppress(TimeoutError):
                    await asyncio.wait_for(self._wake.wait(), POLL_S)
        finally:
            self._following = False
            if not connection.is_closed():
                connection.remove_termination_listener(notified)
                await connection.remove_listener(CHANNEL, notified)

    async def _drain(self, connection: Connection) -> None:
        while True:
            rows = await repository.after(connection, self.position, BATCH)
            for row in rows:
                if row["sequence"] != self.position + 1:
                    await self._settle_gap(connection, row["sequence"])
                    break
                self._hand_out([row])
            if not rows:
                return

    async def _settle_gap(self, connection: Connection, until: int) -> None:
        """Waits for the transactions that may still commit numbers before ``until``, then hands out what is there."""
        horizon = await repository.newest_transaction(connection)
        give_up = time.monotonic() + GAP_LIMIT_S
        while (  # noqa: ASYNC110 - other sessions' transactions tell nobody when they end
            await repository.oldest_running_transaction(connection) < horizon and time.monotonic() < give_up
        ):
            await asyncio.sleep(GAP_WAIT_S)
        self._hand_out(await repository.between(connection, self.position, until))

    def _hand_out(self, rows: Sequence[Any]) -> None:
        for row in rows:
            event = Event(row["sequence"], row["topic"], row["participant_id"], row["payload"])
            for subscriber in list(self._subscribers):
                subscriber.offer(event)
            self.position = event.sequence
