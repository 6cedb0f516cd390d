"""The live stream over a real HTTP server: order, resumption, visibility, slow readers and shutdown."""

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from uuid import UUID

import httpx
import pytest

from hub.api.serve import Server
from hub.live import event_feed, stream
from hub.live.endpoints import LiveResponse
from hub.live.event_feed import EventFeed
from hub.live.outbox import append
from hub.postgres.db import Pool
from support.servers.api import Api, http_server, problem, running_api
from support.waiting import PATIENCE_S, eventually

ANNA, BEN = UUID(int=1), UUID(int=2)
NOW_MS = 1_780_308_000_000


@dataclass(frozen=True)
class ReceivedEvent:
    """One event of a stream."""

    sequence: int
    topic: str
    data: object


@dataclass
class Live:
    """A served application."""

    api: Api
    url: str
    server: Server

    @property
    def feed(self) -> EventFeed:
        """The application's feed of committed events."""
        feed: EventFeed = self.api.app.state.parts[EventFeed]
        return feed

    @asynccontextmanager
    async def stream(
        self, role: str = "participant", participant_id: UUID | None = ANNA, since: int | None = None
    ) -> AsyncIterator["Stream"]:
        """An open stream; it is subscribed when the first bytes are here."""
        headers = self.api.bearer(role, participant_id)
        if since is not None:
            headers["Last-Event-ID"] = str(since)
        async with (
            httpx.AsyncClient(base_url=self.url, timeout=PATIENCE_S) as client,
            client.stream("GET", "/api/v1/live", headers=headers) as response,
        ):
            assert response.status_code == 200
            assert response.headers["content-type"].startswith("text/event-stream")
            opened = Stream(response.aiter_lines())
            await opened.block()
            yield opened

    async def publish(self, *names: str, participant_id: UUID | None = None) -> list[int]:
        """One event per name, each in a transaction of its own."""
        numbers = []
        for name in names:
            async with self.api.pool.acquire() as connection, connection.transaction():
                numbers.append(await append(connection, "reading", {"name": name}, participant_id))
        return numbers


@dataclass
class Stream:
    """The lines that a client receives."""

    lines: AsyncIterator[str]

    async def block(self) -> list[str]:
        """The lines up to the next empty one."""
        lines_so_far: list[str] = []
        async with asyncio.timeout(PATIENCE_S):
            async for line in self.lines:
                if not line:
                    return lines_so_far
                lines_so_far.append(line)
        raise EOFError("the stream has ended")

    async def event(self) -> ReceivedEvent:
        """The next event; comments are passed over."""
        while True:
            fields = dict(line.split(": ", 1) for line in await self.block() if not line.startswith(":"))
            if fields:
                return ReceivedEvent(int(fields["id"]), fields["event"], json.loads(fields["data"]))

    async def names(self, count: int) -> list[str]:
        """The names of the next events."""
        return [(await self.event()).data["name"] for _ in range(count)]  # type: ignore[index]


@pytest.fixture
async def live(pool: Pool, state_dir: Path) -> AsyncIterator[Live]:
    for participant_id, name in ((ANNA, "Anna"), (BEN, "Ben")):
        await pool.execute("INSERT INTO participants (participant_id, name) VALUES ($1, $2)", participant_id, name)
    async with running_api(pool, state_dir, NOW_MS) as api, http_server(api.app, graceful_s=60) as served:
        yield Live(api, served.url, served.server)


async def test_events_come_in_the_order_of_the_outbox(live: Live) -> None:
    async with live.stream() as opened:
        numbers = await live.publish("one", "two", "three")
        seen = [await opened.event() for _ in range(3)]

    assert [event.sequence for event in seen] == numbers
    assert [event.data for event in seen] == [{"name": "one"}, {"name": "two"}, {"name": "three"}]
    assert {event.topic for event in seen} == {"reading"}


async def test_a_rolled_back_event_is_never_seen(live: Live) -> None:
    async with live.stream() as opened:
        async with live.api.pool.acquire() as connection:
            transaction = connection.transaction()
            await transaction.start()
            await append(connection, "reading", {"name": "never"})
            await transaction.rollback()
        await live.publish("after")

        assert await opened.names(1) == ["after"]


async def test_a_later_commit_with_a_lower_number_keeps_its_place(live: Live) -> None:
    async with live.stream() as opened, live.api.pool.acquire() as connection:
        transaction = connection.transaction()
        await transaction.start()
        low = await append(connection, "reading", {"name": "low"})
        [high] = await live.publish("high")
        assert low < high
        waiting = asyncio.create_task(opened.names(2))
        done, _ = await asyncio.wait({waiting}, timeout=0.3)
        assert not done
        await transaction.commit()

        assert await waiting == ["low", "high"]


async def test_missed_events_come_first(live: Live) -> None:
    numbers = await live.publish("seen", "missed one", "missed two")
    async with live.stream(since=numbers[0]) as opened:
        await live.publish("new")

        assert await opened.names(3) == ["missed one", "missed two", "new"]


async def test_without_an_id_the_stream_begins_now(live: Live) -> None:
    await live.publish("old")
    async with live.stream() as opened:
        await live.publish("new")

        assert await opened.names(1) == ["new"]


async def test_readers_see_their_own_and_the_public(live: Live) -> None:
    async with live.stream(participant_id=ANNA) as anna, live.stream("auditor", None) as auditor, live.stream(
        "facilities", None
    ) as staff:  # fmt: skip
        await live.publish("bens", participant_id=BEN)
        await live.publish("annas", participant_id=ANNA)
        await live.publish("public")

        assert await anna.names(2) == ["annas", "public"]
        assert await auditor.names(3) == ["bens", "annas", "public"]
        assert await staff.names(1) == ["public"]


async def test_missed_events_of_others_stay_theirs(live: Live) -> None:
    first, *_ = await live.publish("start")
    await live.publish("bens", participant_id=BEN)
    await live.publish("annas", participant_id=ANNA)
    async with live.stream(participant_id=ANNA, since=first) as opened:
        assert await opened.names(1) == ["annas"]


async def test_too_much_missed_is_a_reset(live: Live, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stream, "REPLAY_EVENTS", 2)
    first, *rest = await live.publish("a", "b", "c", "d")
    async with live.stream(since=first) as opened:
        event = await opened.event()

    assert (event.topic, event.sequence) == ("reset", rest[-1])


async def test_an_id_from_another_database_is_a_reset(live: Live) -> None:
    async with live.stream(since=10_000) as opened:
        assert (await opened.event()).topic == "reset"


async def test_silence_is_filled_with_heartbeats(live: Live, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stream, "KEEP_ALIVE_S", 0.05)
    async with live.stream() as opened:
        assert await opened.block() == [": still here"]


async def test_the_stream_ends_with_its_token(live: Live) -> None:
    headers = live.api.bearer("participant", ANNA)
    live.api.clock.advance(15 * 60_000 - 300)
    async with httpx.AsyncClient(base_url=live.url, timeout=PATIENCE_S) as client:
        response = await client.get("/api/v1/live", headers=headers)

    assert response.text == "retry: 2000\n\n"


async def test_a_reader_who_does_not_keep_up_is_ended_alone(live: Live, monkeypatch: pytest.MonkeyPatch) -> None:
    feed = live.feed
    slow, fast = feed.subscribe(None, True), feed.subscribe(None, True)
    assert slow is not None
    assert fast is not None
    for number in range(event_feed.QUEUE_EVENTS + 1):
        event = event_feed.Event(number, "reading", None, {})
        slow.offer(event)
        fast.offer(event)
        assert fast.queue.get_nowait() == event

    assert slow.dropped
    assert slow.queue.get_nowait() is None
    assert not fast.dropped


async def test_streams_are_counted_and_given_back(live: Live, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(event_feed, "MAX_SUBSCRIBERS", 1)
    async with live.stream():
        response = await live.api.get("/live", live.api.bearer("participant", ANNA))
        assert "try again" in problem(response, 503, "streams_exhausted")
    await eventually(lambda: not live.feed.subscribers, what="the place given back")


async def test_one_user_can_not_take_everybodys_streams(live: Live, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(event_feed, "MAX_PER_USER", 2)
    bens = live.api.bearer("participant", BEN, user_id=UUID(int=9))
    async with live.stream() as first_stream:
        async with live.stream():
            async with asyncio.timeout(PATIENCE_S):
                response = await live.api.get("/live", live.api.bearer("participant", ANNA))
            assert "close some" in problem(response, 429, "own_streams_exhausted")
            assert response.headers["retry-after"]
            async with (
                httpx.AsyncClient(base_url=live.url, timeout=PATIENCE_S) as client,
                client.stream("GET", "/api/v1/live", headers=bens) as opened,
            ):
                assert opened.status_code == 200
        await eventually(lambda: live.feed.subscribers == 1, what="the places given back")
        async with live.stream():
            await live.publish("public")
            assert await first_stream.names(1) == ["public"]


async def test_a_reader_who_left_before_the_first_byte_leaves_no_stream_behind(live: Live) -> None:
    feed = live.feed
    subscriber = feed.subscribe(ANNA, False, ANNA)
    assert subscriber is not None

    async def gone(_: object) -> None:
        raise OSError("the connection is closed")

    async def nothing() -> dict[str, str]:
        return {"type": "http.disconnect"}

    response = LiveResponse(feed, subscriber, stream.events(feed, subscriber, None, 60))
    with contextlib.suppress(Exception):
        await response({"type": "http", "asgi": {"spec_version": "2.4"}}, nothing, gone)
    assert feed.subscribers == 0


async def test_a_lost_database_connection_is_found_again(live: Live, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(event_feed, "RECONNECT_S", 0.01)
    async with live.stream() as opened:
        await live.publish("before")
        assert await opened.names(1) == ["before"]
        async with live.api.pool.acquire() as connection:
            await connection.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
                "WHERE datname = current_database() AND pid <> pg_backend_pid()"
            )
            await append(connection, "reading", {"name": "during"})

        assert await opened.names(1) == ["during"]


async def test_shutdown_ends_the_streams(live: Live) -> None:
    async with live.stream() as opened:
        live.server.should_exit = True
        with pytest.raises(EOFError):
            await opened.block()


@pytest.mark.parametrize("value", ["abc", "-1", "1e3", str(2**63)])
async def test_a_malformed_last_event_id_is_refused(live: Live, value: str) -> None:
    headers = {**live.api.bearer("participant", ANNA), "Last-Event-ID": value}

    assert "last-event-id" in problem(await live.api.get("/live", headers), 422, "invalid_request")
