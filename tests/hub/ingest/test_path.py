"""Frames from gateways over NATS into the database: duplicates, disorder, kills, forged frames and lost receipts."""

import asyncio
import random

import pytest
from nats.aio.msg import Msg
from nats.js.errors import APIError

from edge.wire.frames import Frame
from edge.wire.heartbeats import Heartbeat, encode_heartbeat
from edge.wire.kinds import Gap
from hub.errors import ConfigError, RetryableError
from hub.ingest import bus
from hub.ingest.consumer import Limits
from hub.ingest.heartbeats import responder
from support.rows.gateways import SealingGateway, assign
from support.servers.ingest import Ingest, ReceiptListener
from support.servers.nats import Gateway
from support.waiting import PATIENCE_S, eventually


async def publish(gateway: Gateway, frame: Frame, *, once: bool = True) -> None:
    """Publishes a frame; with ``once`` under a message id that lets JetStream drop duplicates."""
    await gateway.publish_frame(frame.encode(), message_id=frame.header_hash.hex() if once else None)


async def test_a_published_frame_is_stored_and_receipted(ingest: Ingest, north: SealingGateway) -> None:
    await ingest.start()
    listener = ReceiptListener(ingest.receipt_public_key)
    frames = north.frames(3)
    async with ingest.nats.as_gateway("gw-north") as gateway:
        await listener.listen(gateway)
        for frame in frames:
            await publish(gateway, frame)
        await ingest.counted("readings", 18)
        await eventually(lambda: listener.stored(north.boot_id) == {1, 2, 3, 4}, what="receipts")
    assert listener.receipts[-1].last_header_hash == frames[-1].header_hash
    times = await ingest.pool.fetchrow("SELECT * FROM frames ORDER BY sequence DESC LIMIT 1")
    assert times is not None and times["published_at"] <= times["received_at"] <= times["verified_at"]
    await ingest.drained()


async def test_a_lone_frame_does_not_wait_for_a_batch(ingest: Ingest, north: SealingGateway) -> None:
    await ingest.start(Limits(batch=256, poll_s=30))
    async with ingest.nats.as_gateway("gw-north") as gateway:
        for number, frame in enumerate(north.frames(2)):
            await publish(gateway, frame)
            await ingest.counted("frames", number + 1)


async def test_the_same_frame_again_gets_a_receipt_and_changes_nothing(ingest: Ingest, north: SealingGateway) -> None:
    await ingest.start()
    listener = ReceiptListener(ingest.receipt_public_key)
    (frame,) = north.frames(0)
    async with ingest.nats.as_gateway("gw-north") as gateway:
        await publish(gateway, frame)
        await ingest.drained()
        await listener.listen(gateway)
        await publish(gateway, frame, once=False)
        await eventually(lambda: listener.stored(north.boot_id) == {1}, what="a receipt for the duplicate")
    assert await ingest.count("frames") == 1
    assert await ingest.count("quarantine") == 0


async def test_three_times_in_random_order_with_kills_changes_nothing(ingest: Ingest, north: SealingGateway) -> None:
    frames = north.frames(80)
    mixed = [frame for frame in frames for _ in range(3)]
    random.Random(11).shuffle(mixed)
    async with ingest.nats.as_gateway("gw-north") as gateway:
        await asyncio.gather(*(publish(gateway, frame, once=False) for frame in mixed))
        first, second = await ingest.start(), await ingest.start()
        await eventually(lambda: _at_least(ingest, 30), what="the first frames")
        await ingest.kill(first)
        await eventually(lambda: _at_least(ingest, 50), what="more frames")
        await ingest.kill(second)
        await ingest.start()
        await ingest.drained()
        await ingest.counted("readings", 480)
    assert await ingest.count("frames") == 81
    assert await ingest.count("waiting_frames") == 0
    assert await ingest.count("quarantine") == 0
    ids = {row["reading_id"] for row in await ingest.pool.fetch("SELECT reading_id FROM readings")}
    assert ids == {leaf for frame in frames[1:] for leaf in frame.leaves}


async def _at_least(ingest: Ingest, number: int) -> bool:
    return await ingest.count("frames") >= number


async def test_a_copy_killed_between_commit_and_acknowledgement_loses_nothing(
    ingest: Ingest, north: SealingGateway, monkeypatch: pytest.MonkeyPatch
) -> None:
    committed = asyncio.Event()

    async def commit_then_hang(self: Msg) -> None:
        committed.set()
        await asyncio.Event().wait()

    frames = north.frames(4)
    async with ingest.nats.as_gateway("gw-north") as gateway:
        with monkeypatch.context() as patch:
            patch.setattr(Msg, "ack", commit_then_hang)
            copy = await ingest.start()
            for frame in frames:
                await publish(gateway, frame)
            await asyncio.wait_for(committed.wait(), PATIENCE_S)
            await ingest.kill(copy)
        await ingest.start()
        await ingest.drained()
        # frames that came again before the one with the meter's declaration wait a moment for it
        await ingest.counted("readings", 24)
    assert await ingest.count("frames") == 5


async def test_a_flipped_bit_is_refused_by_name_and_its_neighbours_are_stored(
    ingest: Ingest, north: SealingGateway
) -> None:
    first, second, third = north.frames(2)
    flipped = bytearray(second.encode())
    flipped[-5] ^= 0x10
    listener = ReceiptListener(b"")
    async with ingest.nats.as_gateway("gw-north") as gateway:
        for payload in (first.encode(), bytes(flipped), third.encode()):
            await gateway.publish_frame(payload)
        await ingest.start()
        listener.public_key = ingest.receipt_public_key
        await listener.listen(gateway)
        await ingest.drained()
    await ingest.counted("frames", 2)
    row = await ingest.pool.fetchrow("SELECT * FROM quarantine")
    assert row is not None and (row["code"], row["payload"]) == ("merkle_root", bytes(flipped))
    assert 2 not in listener.stored(north.boot_id)


async def test_a_frame_under_another_gateways_name_is_refused(ingest: Ingest, north: SealingGateway) -> None:
    """Somebody who holds gw-south's credentials sends what gw-north signed."""
    await ingest.start()
    async with ingest.nats.as_gateway("gw-south") as gateway:
        await gateway.publish_frame(north.frames(0)[0].encode())
        await ingest.counted("quarantine", 1)
    row = await ingest.pool.fetchrow("SELECT * FROM quarantine")
    assert row is not None and (row["code"], row["gateway_id"]) == ("subject_mismatch", "gw-south")
    assert await ingest.count("frames") == 0


async def test_a_receipt_that_was_lost_heals_with_the_heartbeat(ingest: Ingest, north: SealingGateway) -> None:
    await ingest.start()
    gap = Gap(boot_id=north.boot_id, first=6, last=8, reason="disk full", at_ms=1)
    frames = [*north.frames(4), north.seal([gap])]
    listener = ReceiptListener(ingest.receipt_public_key)
    async with ingest.nats.as_gateway("gw-north") as gateway:
        for frame in frames:
            if frame.header.sequence != 3:
                await publish(gateway, frame)
        await ingest.counted("frames", 5)
        await listener.listen(gateway)
        heartbeat = Heartbeat(
            "gw-north", 1, "0.1.0", north.boot_id, 9, waiting={north.boot_id: [(1, 9)]}, outbox_frames=9
        )
        await gateway.client.publish("pw.beat.gw-north", encode_heartbeat(heartbeat))
        await eventually(lambda: bool(listener.receipts), what="the answer to the heartbeat")
    (receipt,) = listener.receipts
    assert receipt.stored == {north.boot_id: [(1, 2), (4, 6)]}, "the third never arrived"
    assert receipt.lost == {north.boot_id: [(6, 8)]}
    assert receipt.last_header_hash == frames[-1].header_hash
    row = await ingest.pool.fetchrow("SELECT last_beat, last_beat_at FROM gateways")
    assert row is not None and row["last_beat_at"] and row["last_beat"]["outbox_frames"] == 9


async def test_a_heartbeat_that_asks_for_everything_is_answered_piece_by_piece(
    ingest: Ingest, north: SealingGateway, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(responder, "MAX_FRAMES", 3)
    await ingest.start()
    listener = ReceiptListener(ingest.receipt_public_key)
    async with ingest.nats.as_gateway("gw-north") as gateway:
        for frame in north.frames(7):
            await publish(gateway, frame)
        await ingest.counted("frames", 8)
        await listener.listen(gateway)
        for first, answered in ((1, {1, 2, 3}), (4, {1, 2, 3, 4, 5, 6})):
            waiting = [(first, 2**63 - 1)]
            heartbeat = Heartbeat(
                "gw-north", 1, "0.1.0", north.boot_id, 8, waiting={north.boot_id: waiting}, outbox_frames=8
            )
            await gateway.client.publish("pw.beat.gw-north", encode_heartbeat(heartbeat))
            await eventually(lambda: listener.stored(north.boot_id) == answered, what="part of the answer")  # noqa: B023


async def test_heartbeats_that_are_none_change_nothing(ingest: Ingest, north: SealingGateway) -> None:
    await ingest.start()
    listener = ReceiptListener(ingest.receipt_public_key)
    heartbeat = Heartbeat("gw-north", 1, "0.1.0", north.boot_id, 0)
    async with ingest.nats.as_gateway("gw-north") as gateway, ingest.nats.as_gateway("gw-south") as south:
        await listener.listen(gateway)
        await gateway.client.publish("pw.beat.gw-north", b"nonsense")
        await south.client.publish("pw.beat.gw-south", encode_heartbeat(heartbeat))
        await bus.flush_commands(south.client)
        await gateway.client.publish("pw.beat.gw-north", encode_heartbeat(heartbeat))
        await eventually(lambda: len(listener.receipts) == 1, what="one receipt for the one good heartbeat")


async def test_readings_wait_until_an_operator_assigns_their_meter(ingest: Ingest) -> None:
    new_gateway = SealingGateway("gw-new", meters=("METER_042",))
    await new_gateway.register(ingest.pool, meters=False)
    await ingest.start()
    async with ingest.nats.as_gateway("gw-new") as gateway:
        for frame in new_gateway.frames(2):
            await publish(gateway, frame)
        await ingest.drained()
    assert await ingest.count("readings") == 0
    await assign(ingest.pool, "METER_042", "gw-new")
    await ingest.counted("readings", 12)


async def test_a_full_stream_refuses_and_forgets_nothing(ingest: Ingest, north: SealingGateway) -> None:
    async with ingest.nats.as_hub() as hub, ingest.nats.as_gateway("gw-north") as gateway:
        await hub.jetstream().delete_stream(bus.STREAM)
        await bus.ensure_stream(hub.jetstream(), max_bytes=2048)
        answers = await asyncio.gather(*(publish(gateway, frame) for frame in north.frames(20)), return_exceptions=True)
        refused = [answer for answer in answers if isinstance(answer, APIError)]
        assert refused and all("maximum bytes exceeded" in str(answer) for answer in refused)
        await ingest.start()
        await ingest.counted("frames", answers.count(None))


async def test_a_hub_without_its_files_or_server_says_what_to_do(ingest: Ingest) -> None:
    with pytest.raises(ConfigError, match="PEERWATT_HUB_NATS_CREDS_FILE"):
        await bus.connect(ingest.nats.url, ingest.nats.ca_file, None)
    with pytest.raises(RetryableError, match="PEERWATT_HUB_NATS_URL"):
        await bus.connect("tls://127.0.0.1:1", ingest.nats.ca_file, ingest.nats.identity.creds_file)
