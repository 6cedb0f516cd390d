"""The agent as a process, against the hub's real NATS and real meters: what is read reaches the hub."""

import asyncio
import urllib.request
from pathlib import Path

from edge.wire.frames import NO_PREVIOUS
from edge.wire.kinds import MeterDeclared, Reading, Start, Stop
from hub.embedded.processes import free_port
from support.servers.gateway import complete, hub_side, modbus_gateway
from support.servers.modbus_meters import Meter, meter_registers, serve_tcp
from support.servers.nats import HubNats
from support.waiting import PATIENCE_S, eventually


async def test_readings_reach_the_hub_signed_and_chained(hub_nats: HubNats, tmp_path: Path) -> None:
    served = Meter(meter_registers("sdm630", 1_000, 2, 3))
    async with serve_tcp({1: served}) as port:
        gw = modbus_gateway("gw-chain", tmp_path, {"METER_001": port}, poll_period_s=2)
        gw.enrol(hub_nats)
        async with hub_side(hub_nats, gw) as hub:
            async with gw.running() as agent:
                await eventually(lambda: len(hub.of(Reading)) >= 4, what="four readings")
                assert agent.rss_kib < 80 * 1024
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


async def test_frames_without_a_receipt_wait_and_are_not_sent_twice(hub_nats: HubNats, tmp_path: Path) -> None:
    """The broker takes frames, but no hub receipts them: they wait as undelivered, and are not sent again for it."""
    async with serve_tcp({1: Meter(meter_registers("sdm630", 1_000, 2, 3))}) as port:
        gw = modbus_gateway("gw-away", tmp_path, {"METER_001": port})
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


async def test_a_broken_meter_is_named_and_its_neighbour_read_on(hub_nats: HubNats, tmp_path: Path) -> None:
    good, mute = Meter(meter_registers("sdm630", 1_000, 2, 3)), Meter(meter_registers("sdm630", 5, 6, 7), delay_s=9)
    async with serve_tcp({1: mute}) as broken, serve_tcp({1: good}) as port:
        gw = modbus_gateway("gw-broken", tmp_path, {"METER_001": broken, "METER_002": port})
        gw.enrol(hub_nats)
        async with hub_side(hub_nats, gw) as hub, gw.running() as agent:
            await agent.wait_for_line("meter lost")
            begun = len(hub.of(Reading))
            await eventually(lambda: len(hub.of(Reading)) >= begun + 5, what="the neighbour's readings")
            assert [line["meter_id"] for line in agent.lines() if line["event"] == "meter lost"] == ["METER_001"]
            assert gw.run("status", "--config", gw.config, "--json").json["meters_lost"] == ["METER_001"]
    slots = [reading.slot_s for reading in sorted(hub.of(Reading), key=lambda r: r.sequence)][1:]
    assert slots == sorted(set(slots))


async def test_metrics_are_on_loopback_and_a_taken_port_is_named(hub_nats: HubNats, tmp_path: Path) -> None:
    async with serve_tcp({1: Meter(meter_registers("sdm630", 1_000, 2, 3))}) as port:
        gw = modbus_gateway("gw-metrics", tmp_path, {"METER_001": port}, metrics_port=free_port())
        gw.enrol(hub_nats)
        async with gw.running():

            def page() -> str:
                with urllib.request.urlopen(
                    f"http://127.0.0.1:{gw.extra['metrics_port']}/metrics", timeout=PATIENCE_S
                ) as answer:
                    return str(answer.read().decode())

            await eventually(lambda: 'peerwatt_edge_readings_total{source="modbus"}' in page())
            other = modbus_gateway(
                "gw-other", tmp_path / "other", {"METER_001": port}, metrics_port=gw.extra["metrics_port"]
            )
            other.enrol(hub_nats)
            taken = await asyncio.to_thread(other.run, "run", "--config", other.config)
    assert taken.code == 78 and "choose another metrics_port" in taken.err
