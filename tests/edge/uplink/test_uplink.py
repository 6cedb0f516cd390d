"""The uplink: live frames and backlog, receipts that it refuses, resend requests, and broken connections."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from nacl.signing import SigningKey
from nats.aio.msg import Msg
from nats.js import JetStreamContext
from prometheus_client import REGISTRY

from edge.keystore import load_frame_key, load_nats_key
from edge.runtime.clock import SystemClock
from edge.store.batch import Batch
from edge.store.ledger import Ledger, Signer
from edge.store.ledger_writer import LedgerWriter, Limits
from edge.uplink.identity import Identity
from edge.uplink.nats_link import NatsLink
from edge.uplink.uplink import RESEND_AFTER_S, Uplink
from edge.wire import receipts, resend_requests, subjects
from edge.wire.kinds import Stop
from edge.wire.records import encode_record
from hub.ingest import bus
from support.servers.gateway import RECEIPT_KEY, Gateway, hub_side
from support.servers.nats import HubNats
from support.waiting import eventually

BOOT = b"b" * 16


def gateway(name: str, folder: Path, hub: HubNats) -> Gateway:
    gw = Gateway(name, folder, [])
    gw.enrol(hub)
    return gw


@contextlib.asynccontextmanager
async def uplink(gw: Gateway) -> AsyncIterator[tuple[Uplink, LedgerWriter]]:
    """An uplink with a ledger, in this process."""
    clock = SystemClock()
    ledger = Ledger(gw.state / "ledger.sqlite", Signer(gw.gateway_id, BOOT, load_frame_key(gw.state / "keys")), clock)
    ledger.open()
    writer = LedgerWriter(ledger, Limits(seal_interval_s=0.05, receipt_wait_s=0.05))
    identity = Identity.load(gw.state, gw.gateway_id)
    link = NatsLink(identity, load_nats_key(gw.state / "keys"))
    receipt_key = bytes.fromhex(identity.receipt_public_key)
    line = Uplink(gw.gateway_id, receipt_key, link, writer, 500, lambda _client: None)
    writer.on_frames = line.offer
    tasks = [asyncio.create_task(writer.run()), asyncio.create_task(line.run())]
    try:
        yield line, writer
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await writer.close()


async def seal(writer: LedgerWriter, count: int) -> None:
    """Makes frames of one record each."""
    for number in range(count):
        await writer.call(writer.ledger.commit, Batch(records=[encode_record(Stop(number, "x"))]))
        await writer.call(writer.ledger.seal)


def stored(gw: Gateway) -> int:
    return int(gw.rows("SELECT count(*) FROM frame WHERE stored_at_ms IS NOT NULL")[0][0])


async def test_live_frames_do_not_wait_for_the_backlog(hub_nats: HubNats, tmp_path: Path) -> None:
    gw = gateway("gw-lanes", tmp_path, hub_nats)
    async with hub_side(hub_nats, gw) as hub, uplink(gw) as (line, writer):
        line.frames_per_s = 1
        await seal(writer, 60)
        await eventually(lambda: len(hub.frames) >= 1, what="the backlog to begin")
        writer.append(Batch(records=[encode_record(Stop(99, "live"))]))
        await eventually(lambda: (BOOT, 61) in hub.frames, what="the live frame")
        assert len(hub.frames) < 60
        line.frames_per_s = 1000
        await eventually(lambda: stored(gw) == 61, what="all receipts")
    assert hub.messages == 61


async def test_receipts_of_another_key_or_gateway_are_refused(hub_nats: HubNats, tmp_path: Path) -> None:
    gw = gateway("gw-forged", tmp_path, hub_nats)
    async with hub_side(hub_nats, gw) as hub, uplink(gw) as (_, writer):
        hub.receipts_on = False
        await seal(writer, 2)
        await eventually(lambda: len(hub.frames) == 2)
        subject = subjects.receipt_subject(gw.gateway_id)
        claim = {BOOT: [(1, 2)]}
        forged = receipts.sign_receipt(receipts.Receipt(gw.gateway_id, 1, claim), SigningKey(b"f" * 32))
        foreign = receipts.sign_receipt(receipts.Receipt("gw-other", 1, claim), RECEIPT_KEY)
        for data in (forged, foreign, b"noise", b""):
            await hub.client.publish(subject, data)
        half = receipts.sign_receipt(receipts.Receipt(gw.gateway_id, 1, {BOOT: [(1, 1)]}), RECEIPT_KEY)
        await hub.client.publish(subject, half)
        await eventually(lambda: stored(gw) == 1, what="the one true receipt")


async def test_a_resend_request_is_answered_with_the_stored_bytes_under_new_message_ids(
    hub_nats: HubNats, tmp_path: Path
) -> None:
    gw = gateway("gw-asked", tmp_path, hub_nats)
    async with hub_side(hub_nats, gw) as hub, uplink(gw) as (_, writer):
        await seal(writer, 5)
        await eventually(lambda: stored(gw) == 5)
        before = hub.messages
        await hub.client.publish(
            subjects.resend_request_subject(gw.gateway_id),
            resend_requests.encode_resend_request(resend_requests.ResendRequest(b"q" * 16, BOOT, 2, 4)),
        )
        await eventually(lambda: hub.messages == before + 3, what="three frames again")


async def test_a_connection_that_breaks_is_made_again(hub_nats: HubNats, tmp_path: Path) -> None:
    gw = gateway("gw-breaks", tmp_path, hub_nats)
    async with hub_side(hub_nats, gw) as hub, uplink(gw) as (line, writer):
        await seal(writer, 1)
        await eventually(lambda: len(hub.frames) == 1)
        assert line.client is not None and line.client._transport is not None
        line.client._transport.close()  # type: ignore[no-untyped-call]
        await seal(writer, 1)
        await eventually(lambda: len(hub.frames) == 2, what="the second frame")


async def test_a_gateway_may_not_publish_on_the_subjects_of_another(hub_nats: HubNats, tmp_path: Path) -> None:
    """The rights come from the JWT: a gateway that claims another name gets nothing through."""
    gw = gateway("gw-honest", tmp_path, hub_nats)
    heard: list[Msg] = []
    async with uplink(gw) as (line, _), hub_nats.as_hub() as hub:
        await eventually(lambda: line.client is not None)

        async def note(message: Msg) -> None:
            heard.append(message)

        await hub.subscribe("pw.beat.*", cb=note)
        await bus.flush_commands(hub)
        assert line.client is not None
        await line.client.publish(subjects.heartbeat_subject("gw-victim"), b"x")
        await line.client.publish(subjects.heartbeat_subject("gw-honest"), b"y")
        await eventually(lambda: bool(heard))
    assert [message.subject for message in heard] == ["pw.beat.gw-honest"]


def published(lane: str) -> float:
    return REGISTRY.get_sample_value("peerwatt_edge_frames_published_total", {"lane": lane}) or 0


async def test_the_backlog_waits_when_so_many_frames_have_no_receipt(
    hub_nats: HubNats, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("edge.uplink.uplink.WINDOW", 5)
    gw = gateway("gw-window", tmp_path, hub_nats)
    async with hub_side(hub_nats, gw) as hub, uplink(gw) as (line, writer):
        hub.receipts_on = False
        await seal(writer, 8)
        await eventually(lambda: len(hub.frames) == 5, what="the window to fill")
        assert await line._send_backlog(line.client) == 0  # type: ignore[arg-type]
        assert len(hub.frames) == 5
        await hub.receipt()
        hub.receipts_on = True
        await eventually(lambda: len(hub.frames) == 8, what="the rest")
        await eventually(lambda: stored(gw) == 8 and not line._published_at_s, what="their receipts")


async def test_a_frame_without_a_receipt_is_sent_again_after_the_broker_s_memory_of_it_and_after_a_new_connection(
    hub_nats: HubNats, tmp_path: Path
) -> None:
    async with hub_nats.as_hub() as client:
        remembered_s = (await client.jetstream().stream_info(subjects.FRAMES_STREAM)).config.duplicate_window
    assert remembered_s
    assert remembered_s < RESEND_AFTER_S
    gw = gateway("gw-again", tmp_path, hub_nats)
    async with hub_side(hub_nats, gw) as hub, uplink(gw) as (line, writer):
        hub.receipts_on = False
        await seal(writer, 1)
        before = published("backlog")
        await eventually(lambda: len(hub.frames) == 1)
        assert line.client is not None and line.client._transport is not None
        await eventually(lambda: published("backlog") == before + 1, what="its acknowledgement")
        assert await line._send_backlog(line.client) == 0, "it is under way"
        (key,) = line._published_at_s
        line._published_at_s[key] -= RESEND_AFTER_S
        assert await line._send_backlog(line.client) == 1
        line.client._transport.close()  # type: ignore[no-untyped-call]
        await eventually(lambda: published("backlog") == before + 3, what="the frame once more")


async def test_a_resend_request_is_answered_up_to_its_end_and_its_bound(
    hub_nats: HubNats, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("edge.uplink.uplink.MAX_RESENT_FRAMES", 3)
    gw = gateway("gw-bound", tmp_path, hub_nats)
    async with hub_side(hub_nats, gw) as hub, uplink(gw) as (_, writer):
        await seal(writer, 6)
        await eventually(lambda: stored(gw) == 6)
        before, asked = hub.messages, published("asked")
        subject = subjects.resend_request_subject(gw.gateway_id)
        for number, (first, last) in enumerate([(2, 100), (6, 6)]):
            request = resend_requests.ResendRequest(bytes([number]) * 16, BOOT, first, last)
            await hub.client.publish(subject, resend_requests.encode_resend_request(request))
        await eventually(lambda: hub.messages == before + 4, what="three frames, and one")
        assert published("asked") == asked + 4


async def test_a_receipt_before_the_acknowledgement_frees_the_window(
    hub_nats: HubNats, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """JetStream may answer after the hub: a frame that stayed in the window would take a place for ever."""
    gw = gateway("gw-overtaken", tmp_path, hub_nats)
    publish, receipts_taken = JetStreamContext.publish, asyncio.Event()

    async def publish_and_wait(self: JetStreamContext, *arguments: Any, **options: Any) -> Any:
        answer = await publish(self, *arguments, **options)
        await receipts_taken.wait()
        return answer

    monkeypatch.setattr(JetStreamContext, "publish", publish_and_wait)
    async with hub_side(hub_nats, gw), uplink(gw) as (line, writer):
        await seal(writer, 1)
        await eventually(lambda: stored(gw) == 1, what="the receipt")
        before = published("live") + published("backlog")
        receipts_taken.set()
        await eventually(lambda: published("live") + published("backlog") > before, what="the acknowledgement")
        assert line._published_at_s == {}


async def test_what_went_wrong_is_told_in_status_and_log(
    hub_nats: HubNats, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO", "edge")
    gw = gateway("gw-told", tmp_path, hub_nats)
    async with uplink(gw) as (line, writer):
        assert line.trouble == "not connected yet"
        await eventually(lambda: line.client is not None)
        assert line.trouble == "" and REGISTRY.get_sample_value("peerwatt_edge_hub_connected") == 1
        (line_,) = [record for record in caplog.records if record.getMessage() == "hub connected"]
        assert line_.__dict__["url"] == hub_nats.url
        sealed = REGISTRY.get_sample_value("peerwatt_edge_frames_sealed_total")
        await writer.append(Batch(records=[encode_record(Stop(1, "x"))]))
        await eventually(lambda: REGISTRY.get_sample_value("peerwatt_edge_frames_sealed_total") == (sealed or 0) + 1)
        await line.drain(10)
        assert not line._live
        assert line.client is not None and line.client._transport is not None
        line.client._transport.close()  # type: ignore[no-untyped-call]
        await eventually(lambda: line.client is None, what="the loss")
        await eventually(lambda: line.trouble != "", what="a reason")
        (told,) = [record for record in caplog.records if record.getMessage().startswith("hub lost")]
        assert told.__dict__["reason"] == line.trouble
        assert REGISTRY.get_sample_value("peerwatt_edge_hub_connected") == 0
