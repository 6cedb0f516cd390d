"""A heartbeat tells the gateway's state, and the metrics show the same."""

from pathlib import Path

import pytest
from prometheus_client import REGISTRY

from edge.runtime.clock import ManualClock, TimeKeeper
from edge.runtime.version import agent_version
from edge.store.batch import Batch
from edge.store.ledger import Signer
from edge.store.ledger_writer import LedgerWriter, Limits
from edge.uplink import heartbeat as heartbeats
from edge.uplink.heartbeat import HeartbeatSender
from edge.wire.receipts import Receipt
from support.rows.gateway_ledger import BOOT_ID, KEY, NOW_MS, new_ledger, stop_record


def sender(folder: Path, lost: list[str] | None = None) -> tuple[HeartbeatSender, ManualClock]:
    """A sender on a ledger with five frames, of which the second and the fifth have a receipt."""
    clock = ManualClock(NOW_MS)
    ledger = new_ledger(folder, clock)
    for number in range(5):
        ledger.commit(Batch(records=[stop_record(number)]))
        ledger.seal()
        clock.advance(1_000)
    ledger.commit(Batch(receipts=[Receipt("gw-north", 1, {BOOT_ID: [(2, 2), (5, 5)]})]))
    writer = LedgerWriter(ledger, Limits())
    signer = Signer("gw-north", BOOT_ID, KEY)
    return HeartbeatSender(signer, writer, clock, TimeKeeper(clock, bytes(16)), 60, 7, lambda: lost or []), clock


async def test_it_tells_what_waits_and_how_the_gateway_does(tmp_path: Path) -> None:
    sending, clock = sender(tmp_path, ["METER_003", "METER_004"])
    sending.writer.append(Batch(records=[stop_record(9), stop_record(10)]))
    sending.writer.commits = 12
    clock.advance(55_000)
    told = await sending.current()
    assert told.disk_free_bytes > 0
    assert (told.gateway_id, told.sent_at_ms, told.version) == ("gw-north", NOW_MS + 60_000, agent_version())
    assert (told.boot_id, told.last_sequence, told.waiting) == (BOOT_ID, 5, {BOOT_ID: [(1, 1), (3, 4)]})
    assert (told.outbox_frames, told.outbox_age_s, told.time_quality, told.clock_error_ms) == (3, 60, "S", 0)
    assert (told.meters, told.meters_lost, told.memory_queue) == (7, ("METER_003", "METER_004"), 2)
    shown = {
        name: REGISTRY.get_sample_value(f"peerwatt_edge_{name}")
        for name in ("meters_lost", "outbox_frames", "outbox_age_seconds", "memory_queue_records", "ledger_commits")
    }
    assert list(shown.values()) == [2, 3, 60, 2, 12]
    clock.ms = -5
    early = await sending.current()
    assert (early.sent_at_ms, early.outbox_age_s) == (0, 0)
    await sending.writer.close()


async def test_it_stays_within_its_bounds(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    sending, _ = sender(tmp_path, [f"METER_{number}" for number in range(600)])
    monkeypatch.setattr(heartbeats, "MAX_RANGES", 1)
    told = await sending.current()
    assert (len(told.meters_lost), told.waiting, told.outbox_frames) == (512, {BOOT_ID: [(1, 1)]}, 3)
    monkeypatch.setattr(heartbeats, "MAX_LISTED_BOOTS", 0)
    assert (await sending.current()).waiting == {}
    assert heartbeats.MAX_LISTED_FRAMES == 20_000
    sending.writer.ledger.path = tmp_path / "gone" / "ledger.sqlite"
    assert heartbeats._free_bytes(sending.writer) == 0
    await sending.writer.close()
