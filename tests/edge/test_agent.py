"""The agent as a process, against the hub's real NATS and real meters: nothing that was read is ever lost."""

import asyncio
import contextlib
import sqlite3
import time
import urllib.request
from collections.abc import Mapping
from pathlib import Path

from edge.wire.frames import NO_PREVIOUS
from edge.wire.kinds import BufferQuarantine, MeterDeclared, Reading, Start, Stop
from hub.embedded.processes import free_port
from support.servers.gateway import Gateway, hub_side
from support.servers.modbus_meters import Meter, meter_registers, serve_tcp
from support.servers.nats import HubNats
from support.waiting import at_least, eventually


def gateway(name: str, folder: Path, port: int, *more: Mapping[str, object], **extra: object) -> Gateway:
    folder.mkdir(exist_ok=True)
    meters: list[Mapping[str, object]] = [
        {"id": "METER_001", "profile": "sdm630", "url": f"tcp://127.0.0.1:{port}?device=1"},
        *more,
    ]
    gw = Gateway(name, folder, meters, extra={"heartbeat_s": 1, **extra})
    gw.write_config()
    return gw


def complete(readings: list[Reading]) -> bool:
    """True when no sequence of a meter is missing."""
    by_meter: dict[int, list[int]] = {}
    for reading in readings:
        by_meter.setdefault(reading.meter_index, []).append(reading.sequence)
    return all(sorted(sequences) == list(range(1, len(sequences) + 1)) for sequences in by_meter.values())


async def test_readings_reach_the_hub_signed_and_chained(hub_nats: HubNats, tmp_path: Path) -> None:
    served = Meter(meter_registers("sdm630", 1_000, 2, 3))
    async with serve_tcp({1: served}) as port:
        gw = gateway("gw-chain", tmp_path, port, poll_period_s=2)
        gw.enrol(hub_nats)
        async with hub_side(hub_nats, gw) as hub:
            async with gw.running() as agent:
                await eventually(lambda: len(hub.of(Reading)) >= 4, what="four readings")
                assert agent.rss_kib < 80 * 1024
                stopped = time.monotonic()
            assert time.monotonic() - stopped < 5
            await eventually(lambda: len(hub.of(Stop)) == 1, what="the stop record")
    assert [declared.meter_id for declared in hub.of(MeterDeclared)] == ["METER_001"]
    assert len(hub.of(Start)) == 1
    assert complete(hub.of(Reading))
    slots = [r.slot_s for r in sorted(hub.of(Reading), key=lambda r: r.sequence) if r.sequence > 1]
    assert all(slot_s % 2 == 0 for slot_s in slots) and slots == sorted(set(slots)), "each slot of the grid once"
    chain = [frame for _, frame in sorted(hub.frames.items(), key=lambda item: item[0][1])]
    assert chain[0].header.previous_hash == NO_PREVIOUS
    assert [f.header.previous_hash for f in chain[1:]] == [f.header_hash for f in chain[:-1]]
    verified = gw.run("verify", "--config", gw.config, "--json").json
    assert verified["ok"] and verified["frames"] == len(hub.frames)


async def test_kill_9_and_restart_lose_nothing(hub_nats: HubNats, tmp_path: Path) -> None:
    served = Meter(meter_registers("sdm630", 1_000, 2, 3))
    async with serve_tcp({1: served}) as port:
        gw = gateway("gw-kill", tmp_path, port, seal_interval_s=2)
        gw.enrol(hub_nats)
        async with hub_side(hub_nats, gw) as hub:
            for _ in range(3):
                async with gw.running() as agent:
                    asked = len(served.asked)
                    await eventually(at_least(asked + 4, served.asked), what="more polls")
                    await agent.kill()
            durable = gw.rows("SELECT sequence FROM counter")[0][0]
            async with gw.running():
                await eventually(lambda: len(hub.of(Reading)) > durable, what="all readings")
                await eventually(lambda: gw.rows("SELECT count(*) FROM frame WHERE stored_at_ms IS NULL")[0][0] <= 1)
    assert complete(hub.of(Reading))
    assert len(hub.of(Start)) == 4
    declared = {(d.meter_index, d.meter_id) for d in hub.of(MeterDeclared)}
    assert declared == {(0, "METER_001")}, "the index stays the meter's own"
    verified = gw.run("verify", "--config", gw.config, "--json").json
    assert verified["ok"] and verified["boots"] == len({boot for boot, _ in hub.frames})


async def test_frames_without_a_receipt_wait_and_are_not_sent_twice(hub_nats: HubNats, tmp_path: Path) -> None:
    """The broker takes frames, but no hub receipts them: they wait as undelivered, and are not sent again for it."""
    async with serve_tcp({1: Meter(meter_registers("sdm630", 1_000, 2, 3))}) as port:
        gw = gateway("gw-away", tmp_path, port)
        gw.enrol(hub_nats)
        async with hub_side(hub_nats, gw) as hub:
            hub.receipts_on = False
            async with gw.running():
                await eventually(lambda: len(hub.frames) >= 3, what="three frames")
                assert gw.rows("SELECT count(*) FROM frame WHERE stored_at_ms IS NOT NULL") == [(0,)]
                hub.receipts_on = True
                await eventually(
                    lambda: gw.rows("SELECT count(*) FROM frame WHERE stored_at_ms IS NOT NULL")[0][0] >= 3
                )
            messages, frames = hub.messages, len(hub.frames)
    assert messages == frames, "nothing is sent twice without need"


async def test_no_network_at_all(hub_nats: HubNats, tmp_path: Path) -> None:
    async with serve_tcp({1: Meter(meter_registers("sdm630", 1_000, 2, 3))}) as port:
        gw = gateway("gw-alone", tmp_path, port)
        gw.enrol(hub_nats)
        identity = gw.state / "identity.json"
        identity_text = identity.read_text()
        identity.write_text(identity_text.replace(hub_nats.url, f"tls://127.0.0.1:{free_port()}"))
        async with gw.running() as agent:
            lost = await agent.wait_for_line("hub lost: frames wait in the ledger")
            assert lost["reason"]
            await eventually(lambda: gw.rows("SELECT count(*) FROM frame")[0][0] >= 3)
            status = gw.run("status", "--config", gw.config, "--json").json
            assert status["running"] and status["outbox_frames"] >= 3 and status["hub"] != "connected"
        identity.write_text(identity_text)
        waiting = gw.rows("SELECT count(*) FROM frame")[0][0]
        async with hub_side(hub_nats, gw) as hub, gw.running():
            await eventually(lambda: len(hub.frames) > waiting, what="the backlog")
    assert complete(hub.of(Reading))


async def test_a_broken_meter_is_named_and_its_neighbour_read_on(hub_nats: HubNats, tmp_path: Path) -> None:
    good = Meter(meter_registers("sdm120", 1_000, 2, 3))
    async with serve_tcp({2: good}) as port, serve_tcp({1: Meter({0: [1]}, delay_s=9)}) as slow:
        neighbour = {"id": "METER_002", "profile": "sdm120", "url": f"tcp://127.0.0.1:{port}?device=2"}
        gw = gateway("gw-broken", tmp_path, slow, neighbour)
        gw.enrol(hub_nats)
        async with hub_side(hub_nats, gw) as hub, gw.running() as agent:
            await agent.wait_for_line("meter lost")
            begun = len(hub.of(Reading))
            await eventually(lambda: len(hub.of(Reading)) >= begun + 5, what="the neighbour's readings")
            assert [line["meter_id"] for line in agent.lines() if line["event"] == "meter lost"] == ["METER_001"]
            assert gw.run("status", "--config", gw.config, "--json").json["meters_lost"] == ["METER_001"]
    slots = [reading.slot_s for reading in sorted(hub.of(Reading), key=lambda r: r.sequence)][1:]
    assert slots == sorted(set(slots))


async def test_a_corrupt_ledger_is_put_aside_and_the_hub_is_told(hub_nats: HubNats, tmp_path: Path) -> None:
    async with serve_tcp({1: Meter(meter_registers("sdm630", 1_000, 2, 3))}) as port:
        gw = gateway("gw-corrupt", tmp_path, port)
        gw.enrol(hub_nats)
        ledger = gw.state / "ledger.sqlite"
        ledger.write_bytes(b"SQLite format 3\x00" + b"\x5a" * 8000)
        async with hub_side(hub_nats, gw) as hub, gw.running() as agent:
            await agent.wait_for_line("ledger was unusable and put aside")
            await eventually(lambda: len(hub.of(BufferQuarantine)) == 1 and len(hub.of(Reading)) > 1)
    (record,) = hub.of(BufferQuarantine)
    assert (gw.state / record.file_name).read_bytes().startswith(b"SQLite format 3")
    assert min(declared.meter_index for declared in hub.of(MeterDeclared)) >= 256, "old indexes are not given again"


async def test_a_flipped_bit_in_a_stored_frame_is_found(hub_nats: HubNats, tmp_path: Path) -> None:
    async with serve_tcp({1: Meter(meter_registers("sdm630", 1_000, 2, 3))}) as port:
        gw = gateway("gw-bit", tmp_path, port)
        gw.enrol(hub_nats)
        async with gw.running():
            await eventually(lambda: gw.rows("SELECT count(*) FROM frame")[0][0] >= 3)
    out = tmp_path / "chain.txt"
    assert gw.run("export", "--config", gw.config, "--out", out).code == 0
    assert gw.run("verify", out, "--json").json["ok"]
    with contextlib.closing(sqlite3.connect(gw.state / "ledger.sqlite")) as db:
        (body,) = db.execute("SELECT body FROM frame WHERE sequence = 2").fetchone()
        flipped = body[:20] + bytes([body[20] ^ 4]) + body[21:]
        db.execute("UPDATE frame SET body = ? WHERE sequence = 2", (flipped,))
        db.commit()
    done = gw.run("verify", "--config", gw.config, "--json")
    assert done.code == 1
    assert "merkle_root" in done.json["faults"][0] and "/2)" in done.json["faults"][0]
    lines = out.read_text().splitlines()
    out.write_text("\n".join([lines[0], lines[1], *lines[3:]]) + "\n")
    dropped = gw.run("verify", out, "--json")
    assert dropped.code == 1 and "dropped, inserted or reordered" in dropped.json["faults"][0]
    assert gw.run("verify", out, "--public-key", "00" * 32).code == 1


async def test_two_agents_do_not_share_a_folder(hub_nats: HubNats, tmp_path: Path) -> None:
    async with serve_tcp({1: Meter(meter_registers("sdm630", 1_000, 2, 3))}) as port:
        gw = gateway("gw-twice", tmp_path, port)
        gw.enrol(hub_nats)
        async with gw.running():
            second = await asyncio.to_thread(gw.run, "run", "--config", gw.config)
    assert second.code == 75 and "Another agent runs" in second.err


async def test_metrics_are_on_loopback_and_a_taken_port_is_named(hub_nats: HubNats, tmp_path: Path) -> None:
    async with serve_tcp({1: Meter(meter_registers("sdm630", 1_000, 2, 3))}) as port:
        gw = gateway("gw-metrics", tmp_path, port, metrics_port=free_port())
        gw.enrol(hub_nats)
        async with gw.running():

            def page() -> str:
                with urllib.request.urlopen(
                    f"http://127.0.0.1:{gw.extra['metrics_port']}/metrics", timeout=5
                ) as answer:
                    return str(answer.read().decode())

            await eventually(lambda: 'peerwatt_edge_readings_total{source="modbus"}' in page())
            other = gateway("gw-other", tmp_path / "other", port, metrics_port=gw.extra["metrics_port"])
            other.enrol(hub_nats)
            taken = await asyncio.to_thread(other.run, "run", "--config", other.config)
    assert taken.code == 78 and "choose another metrics_port" in taken.err


async def test_a_disk_that_refuses_does_not_hold_the_end_up(hub_nats: HubNats, tmp_path: Path) -> None:
    async with serve_tcp({1: Meter(meter_registers("sdm630", 1_000, 2, 3))}) as port:
        gw = gateway("gw-twosig", tmp_path, port)
        gw.enrol(hub_nats)
        async with gw.running() as agent:
            lock = sqlite3.connect(gw.state / "ledger.sqlite", isolation_level=None)
            lock.execute("BEGIN EXCLUSIVE")
            begun = time.monotonic()
            agent.process.terminate()
            await asyncio.wait_for(agent.process.wait(), 5)
            lock.close()
    assert time.monotonic() - begun < 5
