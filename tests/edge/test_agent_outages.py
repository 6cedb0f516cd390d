"""The agent without power, network or disk: nothing that was read is lost."""

import asyncio
import sqlite3
from pathlib import Path

from edge.wire.kinds import MeterDeclared, Reading, Start
from hub.embedded.processes import free_port
from support.servers.gateway import complete, hub_side, modbus_gateway
from support.servers.modbus_meters import Meter, meter_registers, serve_tcp
from support.servers.nats import HubNats
from support.waiting import PATIENCE_S, eventually


async def test_kill_9_and_restart_lose_nothing(hub_nats: HubNats, tmp_path: Path) -> None:
    served = Meter(meter_registers("sdm630", 1_000, 2, 3))
    async with serve_tcp({1: served}) as port:
        gw = modbus_gateway("gw-kill", tmp_path, {"METER_001": port}, seal_interval_s=2)
        gw.enrol(hub_nats)
        async with hub_side(hub_nats, gw) as hub:
            for _ in range(3):
                async with gw.running() as agent:
                    wanted = served.reads + 4
                    await eventually(lambda wanted=wanted: served.reads >= wanted, what="more polls")  # type: ignore[misc]
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


async def test_no_network_at_all(hub_nats: HubNats, tmp_path: Path) -> None:
    async with serve_tcp({1: Meter(meter_registers("sdm630", 1_000, 2, 3))}) as port:
        gw = modbus_gateway("gw-alone", tmp_path, {"METER_001": port})
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


async def test_a_disk_that_refuses_does_not_hold_the_end_up(hub_nats: HubNats, tmp_path: Path) -> None:
    async with serve_tcp({1: Meter(meter_registers("sdm630", 1_000, 2, 3))}) as port:
        gw = modbus_gateway("gw-twosig", tmp_path, {"METER_001": port})
        gw.enrol(hub_nats)
        async with gw.running() as agent:
            lock = sqlite3.connect(gw.state / "ledger.sqlite", isolation_level=None)
            lock.execute("BEGIN EXCLUSIVE")
            agent.process.terminate()
            await asyncio.wait_for(agent.process.wait(), PATIENCE_S)
            lock.close()
