"""The bounds of one copy's consumer, what it does when the database is away, and how it connects."""

import asyncio
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from nats.aio.client import Client
from nats.js.api import AckPolicy
from structlog.testing import capture_logs

from hub.errors import RetryableError
from hub.ingest import bus, consumer, service
from hub.ingest.consumer import DURABLE_NAME, Consumer, Limits
from support.rows.gateways import SealingGateway
from support.servers.ingest import Ingest
from support.waiting import eventually


async def test_the_durable_consumer_is_bounded(ingest: Ingest, monkeypatch: pytest.MonkeyPatch) -> None:
    lanes: list[int] = []

    async def wait(_: Consumer, lane: int) -> None:
        lanes.append(lane)
        await asyncio.Event().wait()

    monkeypatch.setattr(Consumer, "_store_batches", wait)
    await ingest.start(Limits())
    await eventually(lambda: bool(lanes), what="the lanes, which begin together")
    assert lanes == [0, 1]
    async with ingest.nats.as_hub() as hub:
        config = (await hub.jetstream().consumer_info(bus.STREAM, DURABLE_NAME)).config
    assert (config.ack_policy, config.ack_wait, config.max_ack_pending) == (AckPolicy.EXPLICIT, 30, 16 * 256)
    assert (config.max_waiting, config.filter_subject) == (128, "pw.frame.*")


async def test_the_stream_keeps_frames_for_thirty_days_and_drops_none(ingest: Ingest) -> None:
    async with ingest.nats.as_hub() as hub:
        await hub.jetstream().delete_stream(bus.STREAM)
        await bus.ensure_stream(hub.jetstream(), max_bytes=4096)
        config = (await hub.jetstream().stream_info(bus.STREAM)).config
        assert (config.name, config.subjects, config.max_bytes) == ("PW_FRAMES", ["pw.frame.*"], 4096)
        assert (config.retention, config.storage, config.discard) == ("workqueue", "file", "new")
        assert (config.max_age, config.duplicate_window, config.max_msg_size) == (30 * 86_400, 120, 256 * 1024)
        await bus.ensure_stream(hub.jetstream(), max_bytes=8192)
        assert (await hub.jetstream().stream_info(bus.STREAM)).config.max_bytes == 4096, "an operator's size stays"


async def test_a_batch_is_tried_five_times_and_comes_again(
    ingest: Ingest, north: SealingGateway, monkeypatch: pytest.MonkeyPatch
) -> None:
    pauses: list[float] = []
    store_batch, sleep = service.store_batch, asyncio.sleep

    async def away(*args: Any) -> service.Outcome:
        if len(pauses) < 6:
            raise OSError("the database is away")
        return await store_batch(*args)

    async def note(seconds: float) -> None:
        pauses.append(seconds)
        await sleep(0)

    monkeypatch.setattr(service, "store_batch", away)
    monkeypatch.setattr(consumer, "asyncio", SimpleNamespace(**{**vars(asyncio), "sleep": note}))
    (frame,) = north.frames(0)
    with capture_logs() as logged:
        await ingest.start()
        async with ingest.nats.as_gateway("gw-north") as gateway:
            await gateway.publish_frame(frame.encode())
            await ingest.counted("frames", 1)
            await ingest.drained()
    assert pauses == [0.1, 0.5, 1, 2, 5, 0.1]
    tries = [line for line in logged if line["event"] == "batch not stored, trying again"]
    assert tries == [
        {
            "event": "batch not stored, trying again", "log_level": "warning", "error": "the database is away",
            "messages": 1,
        }
    ] * 6  # fmt: skip


async def test_a_declaration_releases_what_waited_for_it_at_once(ingest: Ingest, north: SealingGateway) -> None:
    declared, *frames = north.frames(2)
    await ingest.start(Limits(batch=32, poll_s=1, release_every_s=3600))
    async with ingest.nats.as_gateway("gw-north") as gateway:
        for frame in frames:
            await gateway.publish_frame(frame.encode())
        await ingest.counted("frames", 2)
        await gateway.publish_frame(declared.encode())
        await ingest.counted("readings", 12)


async def test_readings_that_can_not_be_released_are_tried_again_until_it_works(
    ingest: Ingest, north: SealingGateway, monkeypatch: pytest.MonkeyPatch
) -> None:
    declared, *frames = north.frames(1)
    release, failures = service.release_waiting, 0

    async def away(*args: Any) -> int:
        nonlocal failures
        failures += 1
        if failures < 3:
            raise OSError("the database is away")
        return await release(*args)

    monkeypatch.setattr(service, "release_waiting", away)
    with capture_logs() as logged:

        def told() -> list[tuple[str, str]]:
            return [(line["event"], line["code"]) for line in logged if line.get("loop") == "release"]

        await ingest.start()
        async with ingest.nats.as_gateway("gw-north") as gateway:
            for frame in (*frames, declared):
                await gateway.publish_frame(frame.encode())
            await ingest.counted("readings", 6)
        await eventually(lambda: len(told()) == 2, what="the end of the outage")
    assert told() == [("trying again until it works", "OSError"), ("works again", "OSError")]


async def test_a_copy_reconnects_every_second_for_as_long_as_it_lives(
    ingest: Ingest, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: dict[str, Any] = {}
    connect = Client.connect

    async def note(self: Client, url: str, **options: Any) -> None:
        asked.update(options)
        await connect(self, url, **options)

    monkeypatch.setattr(Client, "connect", note)
    async with ingest.nats.as_hub():
        assert (asked["name"], asked["max_reconnect_attempts"], asked["reconnect_time_wait"]) == ("peerwatt-hub", -1, 1)


async def test_a_connection_that_failed_is_closed(
    ingest: Ingest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    closed: list[Client] = []
    close = Client.close

    async def note(self: Client) -> None:
        closed.append(self)
        await close(self)

    monkeypatch.setattr(Client, "close", note)
    with pytest.raises(RetryableError):
        await bus.connect("tls://127.0.0.1:1", ingest.nats.ca_file, ingest.nats.identity.creds_file)
    assert len(closed) == 1
