"""Answers to heartbeats: what is kept for the fleet view, how much one answer names, and what is refused."""

import pytest
from prometheus_client import REGISTRY
from structlog.testing import capture_logs

from edge.wire.heartbeats import Heartbeat, encode_heartbeat
from hub.clock import ManualClock, at_ms
from hub.ingest import bus
from hub.ingest.heartbeats import repository
from hub.ingest.receipts import merge_ranges, ranges_by_boot
from hub.postgres.db import Pool
from support.rows.gateways import SealingGateway
from support.servers.ingest import Ingest, ReceiptListener
from support.waiting import eventually

NOW_MS = 1_780_308_000_000


def heard(outcome: str) -> float:
    return REGISTRY.get_sample_value("peerwatt_ingest_beats_total", {"outcome": outcome}) or 0


async def add_frames(pool: Pool, north: SealingGateway, last: int, *, step: int = 1) -> None:
    """Adds rows of frames 1 to ``last``, every ``step``-th; they have no contents."""
    await pool.execute(
        """
        INSERT INTO frames (gateway_id, boot_id, sequence, header_hash, previous_hash, key_id, header, signature, body,
                            record_count, sealed_at, received_at, verified_at)
        SELECT 'gw-north', $1, n, sha256(n::text::bytea), '', '', '', '', '', 0, now(), now(), now()
        FROM generate_series(1, $2, $3) AS n
        """,
        north.boot_id, last, step,
    )  # fmt: skip


async def test_the_fleet_view_keeps_every_field_of_the_newest_heartbeat(ingest: Ingest, north: SealingGateway) -> None:
    ingest.clock = ManualClock(NOW_MS)
    kept = heard("kept")
    await ingest.start()
    heartbeat = Heartbeat(
        gateway_id="gw-north", sent_at_ms=11, version="1.2.3", boot_id=north.boot_id, last_sequence=12,
        waiting={north.boot_id: [(1, 2), (5, 9)]}, outbox_frames=13, outbox_age_s=14, time_quality="S",
        clock_error_ms=15, meters=16, meters_lost=("METER_001", "METER_002"), disk_free_bytes=17, memory_queue=18,
        complete_until_s=19, troubles=(("METER_002", "in doubt"),),
    )  # fmt: skip
    listener = ReceiptListener(ingest.receipt_public_key)
    async with ingest.nats.as_gateway("gw-north") as gateway:
        await listener.listen(gateway)
        await gateway.client.publish("pw.beat.gw-north", encode_heartbeat(heartbeat))
        await eventually(lambda: bool(listener.receipts), what="the answer")
    (receipt,) = listener.receipts
    assert (receipt.gateway_id, receipt.issued_at_ms) == ("gw-north", NOW_MS)
    assert (receipt.stored, receipt.lost, receipt.last_header_hash) == ({}, {}, bytes(32))
    row = await ingest.pool.fetchrow("SELECT last_beat_at, last_beat FROM gateways")
    assert row is not None and row["last_beat_at"] == at_ms(NOW_MS)
    assert row["last_beat"] == {
        "sent_at_ms": 11, "version": "1.2.3", "last_sequence": 12, "outbox_frames": 13, "outbox_age_s": 14,
        "time_quality": "S", "clock_error_ms": 15, "meters": 16, "disk_free_bytes": 17, "memory_queue": 18,
        "boot_id": north.boot_id.hex(), "meters_lost": ["METER_001", "METER_002"],
        "waiting": {north.boot_id.hex(): [[1, 2], [5, 9]]}, "complete_until_s": 19,
        "troubles": {"METER_002": "in doubt"},
    }  # fmt: skip
    await eventually(lambda: heard("kept") == kept + 1, what="the metric")


async def test_one_answer_names_at_most_20_000_frames_and_1_000_ranges(ingest: Ingest, north: SealingGateway) -> None:
    await ingest.start()
    listener = ReceiptListener(ingest.receipt_public_key)

    async def ask(waiting: list[tuple[int, int]]) -> object:
        beat = Heartbeat("gw-north", 1, "0.1.0", north.boot_id, 1, waiting={north.boot_id: waiting}, outbox_frames=1)
        listener.receipts.clear()
        await gateway.client.publish("pw.beat.gw-north", encode_heartbeat(beat))
        await eventually(lambda: bool(listener.receipts), what="the answer")
        return listener.receipts[0].stored[north.boot_id]

    async with ingest.nats.as_gateway("gw-north") as gateway:
        await listener.listen(gateway)
        await add_frames(ingest.pool, north, 20_001)
        assert await ask([(1, 30_000)]) == [(1, 20_000)]
        assert await ask([(2 * n, 2 * n) for n in range(1, 1002)]) == [(2 * n, 2 * n) for n in range(1, 1001)]


async def test_a_heartbeat_that_is_not_kept_says_why(
    ingest: Ingest, north: SealingGateway, monkeypatch: pytest.MonkeyPatch
) -> None:
    refused = heard("refused")

    async def away(*_: object) -> bool:
        raise OSError("the database is away")

    await ingest.start()
    beat = encode_heartbeat(Heartbeat("gw-north", 1, "0.1.0", north.boot_id, 1))
    nowhere = encode_heartbeat(Heartbeat("gw-nowhere", 1, "0.1.0", north.boot_id, 1))
    with capture_logs() as logged:
        async with ingest.nats.as_gateway("gw-north") as north_link, ingest.nats.as_gateway("gw-nowhere") as link:
            await north_link.client.publish("pw.beat.gw-north", b"nonsense")
            await link.client.publish("pw.beat.gw-nowhere", beat)
            await link.client.publish("pw.beat.gw-nowhere", nowhere)
            await bus.flush_commands(link.client)
            await eventually(lambda: heard("refused") == refused + 3, what="three refused heartbeats")
            monkeypatch.setattr(repository, "save_heartbeat", away)
            await north_link.client.publish("pw.beat.gw-north", beat)
            await eventually(lambda: heard("refused") == refused + 4, what="a heartbeat that is not kept")
    lines = {line.pop("event"): line for line in logged if "heartbeat" in line["event"]}
    assert lines["heartbeat refused"].pop("detail")
    assert lines == {
        "heartbeat refused": {"log_level": "warning", "subject": "pw.beat.gw-north", "code": "trailing_bytes"},
        "heartbeat of another gateway": {
            "log_level": "warning", "subject": "pw.beat.gw-nowhere", "gateway_id": "gw-north",
        },
        "heartbeat of an unknown gateway": {"log_level": "warning", "gateway_id": "gw-nowhere"},
        "heartbeat not kept": {
            "log_level": "warning", "subject": "pw.beat.gw-north", "error": "the database is away",
        },
    }  # fmt: skip


def test_ranges_that_overlap_or_touch_are_one() -> None:
    assert merge_ranges([]) == []
    assert merge_ranges([(8, 9), (1, 3), (4, 4), (6, 6)]) == [(1, 4), (6, 6), (8, 9)]
    assert merge_ranges([(1, 9), (2, 3), (9, 10), (12, 12)]) == [(1, 10), (12, 12)]
    assert merge_ranges([(1, 1), (3, 3), (3, 5)]) == [(1, 1), (3, 5)]
    assert ranges_by_boot([(b"b", 3), (b"a", 1), (b"b", 1), (b"b", 2), (b"b", 5), (b"b", 5)]) == {
        b"a": [(1, 1)],
        b"b": [(1, 3), (5, 5)],
    }
