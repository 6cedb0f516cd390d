"""The agent's ledger on disk: one writer, and damage is found and said."""

import asyncio
import contextlib
import sqlite3
from pathlib import Path

from edge.wire.kinds import BufferQuarantine, MeterDeclared, Reading
from support.servers.gateway import hub_side, modbus_gateway
from support.servers.modbus_meters import Meter, meter_registers, serve_tcp
from support.servers.nats import HubNats
from support.waiting import eventually


async def test_a_corrupt_ledger_is_put_aside_and_the_hub_is_told(hub_nats: HubNats, tmp_path: Path) -> None:
    async with serve_tcp({1: Meter(meter_registers("sdm630", 1_000, 2, 3))}) as port:
        gw = modbus_gateway("gw-corrupt", tmp_path, {"METER_001": port})
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
        gw = modbus_gateway("gw-bit", tmp_path, {"METER_001": port})
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
        gw = modbus_gateway("gw-twice", tmp_path, {"METER_001": port})
        gw.enrol(hub_nats)
        async with gw.running():
            second = await asyncio.to_thread(gw.run, "run", "--config", gw.config)
    assert second.code == 75 and "Another agent runs" in second.err
