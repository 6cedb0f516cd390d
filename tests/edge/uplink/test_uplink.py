"""The uplink: live frames and backlog, receipts that it refuses, resend requests, and broken connections."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from pathlib import Path

from nacl.signing import SigningKey
from nats.aio.msg import Msg

from edge.keystore import load_frame_key, load_nats_key
from edge.runtime.clock import SystemClock
from edge.store.batch import Batch
from edge.store.ledger import Ledger, Signer
from edge.store.ledger_writer import LedgerWriter, Limits
from edge.uplink.identity import Identity
from edge.uplink.nats_link import NatsLink
from edge.uplink.uplink import Uplink
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
        line.frames_per_s = 20
        await seal(writer, 60)
        await eventually(lambda: len(hub.frames) >= 3, what="the backlog to begin")
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
        await eventually(lambda: len(hub.frames) == 2, what="the second frame", seconds=20)


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
