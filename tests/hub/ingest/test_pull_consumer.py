"""Pulling from a durable consumer of a real server: what is returned, what is asked for, what counts as drained."""

import asyncio
import json
from collections.abc import AsyncIterator
from types import SimpleNamespace
from typing import Any

import pytest
from nats.aio.client import Client
from nats.aio.msg import Msg
from nats.js.api import AckPolicy, ConsumerConfig
from structlog.testing import capture_logs

from hub.ingest import bus, pull_consumer
from hub.ingest.pull_consumer import PullConsumer
from support.servers.nats import Gateway, HubNats
from support.waiting import PATIENCE_S, eventually

DURABLE = "pulled"
CONSUMER = ConsumerConfig(durable_name=DURABLE, ack_policy=AckPolicy.EXPLICIT)


@pytest.fixture
async def hub(nats_server: HubNats) -> AsyncIterator[Client]:
    """The hub's connection, with a durable consumer of frames."""
    async with nats_server.as_hub() as client:
        await client.jetstream().add_consumer(bus.STREAM, CONSUMER)
        yield client


@pytest.fixture
async def gateway(nats_server: HubNats) -> AsyncIterator[Gateway]:
    async with nats_server.as_gateway("gw-north") as connected:
        yield connected


@pytest.fixture
def pauses(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """The pauses that the consumer makes; they take no time."""
    made: list[float] = []

    async def note(seconds: float) -> None:
        made.append(seconds)

    monkeypatch.setattr(pull_consumer, "asyncio", SimpleNamespace(**{**vars(asyncio), "sleep": note}))
    return made


def pulling(client: Client, *, batch: int = 4, expires_s: float = 30) -> PullConsumer:
    return PullConsumer(client, bus.STREAM, DURABLE, batch=batch, expires_s=expires_s)


async def open_requests(client: Client) -> int:
    return int((await client.jetstream().consumer_info(bus.STREAM, DURABLE)).num_waiting or 0)


def texts(messages: list[Msg]) -> list[bytes]:
    return [message.data for message in messages]


async def test_a_message_that_comes_while_it_asks_is_returned_at_once(
    hub: Client, gateway: Gateway, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Not when the request of 300 s ends."""
    await gateway.publish_frame(b"early")
    async with pulling(hub, expires_s=300) as consumer:
        publish = hub.publish

        async def publish_and_receive(*arguments: Any, **options: Any) -> None:
            await publish(*arguments, **options)
            await eventually(lambda: bool(consumer._received), what="the message")
            monkeypatch.undo()

        monkeypatch.setattr(hub, "publish", publish_and_receive)
        assert texts(await asyncio.wait_for(consumer.next(), PATIENCE_S)) == [b"early"]


async def test_messages_come_in_order_and_the_last_one_drains(
    hub: Client, gateway: Gateway, pauses: list[float]
) -> None:
    for number in range(6):
        await gateway.publish_frame(b"%d" % number)
    async with pulling(hub) as consumer:
        drained = consumer.drained
        assert not drained, "nothing is known before the server has answered"
        received: list[bytes] = []
        while len(received) < 4:
            received += texts(await consumer.next())
        while len(received) < 6:
            received += texts(await consumer.next())
        assert received == [b"0", b"1", b"2", b"3", b"4", b"5"]
        drained = consumer.drained
        assert drained
        # what the second request did not bring yet is still open: a new message comes at once
        waiting = asyncio.create_task(consumer.next())
        await eventually(lambda: _one(hub), what="one open request")
        assert not waiting.done()
        await gateway.publish_frame(b"late")
        assert texts(await waiting) == [b"late"]
    assert pauses == []
    await eventually(lambda: _none(hub), what="no open request of a consumer that ended")


async def _one(client: Client) -> bool:
    return await open_requests(client) == 1


async def _none(client: Client) -> bool:
    return await open_requests(client) == 0


async def test_an_empty_stream_is_drained_when_the_time_is_over(hub: Client, pauses: list[float]) -> None:
    async with pulling(hub, expires_s=0.2) as consumer:
        for _ in range(2):
            assert await consumer.next() == []
            assert consumer.drained
    assert pauses == []


async def test_a_request_that_is_not_answered_is_made_again_and_drains_nothing(
    hub: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Requests are lost on their way, as when the server hangs."""
    requests: list[tuple[str, dict[str, int]]] = []

    async def lose(subject: str, payload: bytes, *, reply: str) -> None:
        assert reply.startswith("_INBOX")
        requests.append((subject, json.loads(payload)))

    async with pulling(hub, batch=7, expires_s=0.25) as consumer:
        monkeypatch.setattr(hub, "publish", lose)
        for _ in range(2):
            assert await consumer.next() == []
            assert not consumer.drained
    request = {"batch": 7, "expires": 250_000_000}
    assert requests == [(f"$JS.API.CONSUMER.MSG.NEXT.PW_FRAMES.{DURABLE}", request)] * 2


async def test_a_consumer_that_is_gone_is_asked_again_after_a_second(
    hub: Client, gateway: Gateway, pauses: list[float]
) -> None:
    await hub.jetstream().delete_consumer(bus.STREAM, DURABLE)
    async with pulling(hub, batch=1) as consumer:
        with capture_logs() as logged:
            assert await consumer.next() == []
        assert not consumer.drained
        (line,) = logged
        assert (line["event"], line["log_level"]) == ("frames can not be pulled right now", "warning")
        assert line["status"] == line["reason"]["Status"] == "503"
        assert pauses == []
        assert await consumer.next() == []
        assert pauses == [1.0]
        await hub.jetstream().add_consumer(bus.STREAM, CONSUMER)
        await gateway.publish_frame(b"back")
        assert texts(await consumer.next()) == [b"back"]
        assert pauses == [1.0, 1.0], "the message ended the pauses before the next request"
