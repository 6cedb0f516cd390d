"""One live stream: first the events missed since ``Last-Event-ID``, then new ones, with a comment as keep-alive."""

import asyncio
import time
from collections.abc import AsyncIterator

from hub.live import repository
from hub.live.event_feed import Event, EventFeed, Subscriber

KEEP_ALIVE_S = 15.0
REPLAY_EVENTS = 2000
RETRY_MS = 2000


async def events(
    feed: EventFeed, subscriber: Subscriber, last_event_id: int | None, lifetime_s: float
) -> AsyncIterator[bytes]:
    """Yields the stream's bytes until its token expires, the reader is too slow or the server stops."""
    deadline_s = time.monotonic() + lifetime_s
    try:
        yield f"retry: {RETRY_MS}\n\n".encode()
        if last_event_id is not None:
            async for chunk in _missed(feed, subscriber, last_event_id):
                yield chunk
        while (left_s := deadline_s - time.monotonic()) > 0:
            try:
                event = await asyncio.wait_for(subscriber.queue.get(), min(KEEP_ALIVE_S, left_s))
            except TimeoutError:
                if left_s > KEEP_ALIVE_S:
                    yield b": still here\n\n"
                continue
            if event is None:
                return
            yield event.encode()
    finally:
        feed.unsubscribe(subscriber)


async def _missed(feed: EventFeed, subscriber: Subscriber, last_event_id: int) -> AsyncIterator[bytes]:
    async with feed.pool.acquire(timeout=5) as connection:
        rows = await repository.missed(
            connection,
            last_event_id,
            subscriber.start_sequence,
            subscriber.participant_id,
            subscriber.reads_all,
            REPLAY_EVENTS + 1,
        )
    if len(rows) > REPLAY_EVENTS or last_event_id > subscriber.start_sequence:
        yield f"id: {subscriber.start_sequence}\nevent: reset\ndata: {{}}\n\n".encode()
        return
    for row in rows:
        yield Event(row["sequence"], row["topic"], row["participant_id"], row["payload"]).encode()
