"""A heartbeat tells the gateway's state, and the metrics show the same."""

import asyncio
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
from edge.wire.heartbeats import Heartbeat, decode_heartbeat
from edge.wire.receipts import Receipt
from support.rows.gateway_ledger import BOOT_ID, KEY, NOW_MS, new_ledger, stop_record
from support.waiting import at_least, eventually


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
    return HeartbeatSender(signer, writer, clock, TimeKeeper(clock, bytes(16)), 60, 7, lambda: lost or [], dict), clock


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
    assert told.troubles == ()
    sending.troubles = lambda: {"METER_2": "this answers like another", "METER_1": "Z\xe4hler " + 200 * "x"}
    assert (await sending.current()).troubles == (
        ("METER_1", "Z?hler " + 113 * "x"), ("METER_2", "this answers like another"),
    )  # fmt: skip
    clock.ms = -5
    early = await sending.current()
    assert (early.sent_at_ms, early.outbox_age_s) == (0, 0)
    await sending.writer.close()


class Published:
    """The connection, and the heartbeats that went over it."""

    is_connected = True

    def __init__(self) -> None:
        self.beats: list[Heartbeat] = []

    async def publish(self, _subject: str, data: bytes) -> None:
        self.beats.append(decode_heartbeat(data))


async def test_it_is_sent_as_soon_as_more_is_complete(tmp_path: Path) -> None:
    sending, clock = sender(tmp_path)
    sending.period_s = 3_600
    until_s, looked, client = 0, 0, Published()

    def complete(_repository: object) -> int:
        nonlocal looked
        looked += 1
        return until_s

    sending.complete_until_s = complete
    task = asyncio.create_task(sending.run())
    sending.on_connect(client)  # type: ignore[arg-type]
    await eventually(at_least(1, client.beats), what="the one of the connection")
    sending.look()
    await eventually(lambda: looked == 2, what="a look")
    until_s = 1_780_000_200
    sending.look()
    await eventually(at_least(2, client.beats), what="more is complete")
    sending.look()
    await eventually(lambda: looked == 4, what="another look")
    assert [beat.complete_until_s for beat in client.beats] == [0, 1_780_000_200]
    client.is_connected, until_s = False, 1_780_001_100
    sending.look()
    await eventually(lambda: looked == 5, what="a look without a connection")
    client.is_connected = True
    sending.look()
    await eventually(at_least(3, client.beats), what="what could not be told before")
    clock.ms = 1_000
    assert (await sending.current()).complete_until_s == 0, "the clock was never set"
    task.cancel()
    await asyncio.wait([task])
    await sending.writer.close()


async def test_it_stays_within_its_bounds(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    sending, _ = sender(tmp_path, [f"METER_{number}" for number in range(600)])
    sending.troubles = lambda: {f"METER_{number:03}": "x" for number in range(200)}
    monkeypatch.setattr(heartbeats, "MAX_RANGES", 1)
    told = await sending.current()
    assert [meter_id for meter_id, _ in told.troubles] == [f"METER_{number:03}" for number in range(128)]
    assert (len(told.meters_lost), told.waiting, told.outbox_frames) == (512, {BOOT_ID: [(1, 1)]}, 3)
    monkeypatch.setattr(heartbeats, "MAX_LISTED_BOOTS", 0)
    assert (await sending.current()).waiting == {}
    assert heartbeats.MAX_LISTED_FRAMES == 20_000
    sending.writer.ledger.path = tmp_path / "gone" / "ledger.sqlite"
    assert heartbeats._free_bytes(sending.writer) == 0
    await sending.writer.close()
