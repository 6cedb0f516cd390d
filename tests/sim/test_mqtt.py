"""Publications through a real broker, as any subscriber sees them, and a broker that comes late or goes away."""

import asyncio
import contextlib
import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from hub.embedded.processes import free_port
from support.servers.broker import BuildingBroker, run_broker
from support.servers.simulator import running
from support.waiting import PATIENCE_S, eventually

METERS = """
[mqtt]
username = "building"
password = "secret"
period_s = 1
[[meter]]
id = "SML_1"
profile = "tasmota-sml"
transport = "mqtt"
pv_kwp = 10
[[meter]]
id = "PLUG_1"
profile = "tasmota-energy"
transport = "mqtt"
[[meter]]
id = "SHELLY_1"
profile = "shelly-gen2"
transport = "mqtt"
topic = "house/em"
pv_kwp = 10
"""
REPLAY = "time,SML_1,PLUG_1,SHELLY_1\n2026-06-17T10:00:00Z,3600,7200,-36000\n2026-06-17T10:01:00Z,3600,7200,-36000\n"


def building(port: int) -> BuildingBroker:
    return BuildingBroker(port, "building", "secret")


def arguments(folder: Path, port: int) -> list[str | Path]:
    (folder / "sim.toml").write_text(METERS)
    (folder / "replay.csv").write_text(REPLAY)
    return [
        "--config", folder / "sim.toml", "--replay", folder / "replay.csv", "--truth", folder / "truth.jsonl",
        "--mqtt-url", f"mqtt://127.0.0.1:{port}",
    ]  # fmt: skip


async def collect(port: int, topics: list[str], each: int) -> dict[str, list[Any]]:
    seen: dict[str, list[Any]] = {topic: [] for topic in topics}
    async with asyncio.timeout(PATIENCE_S), building(port).client() as subscriber:
        for topic in topics:
            await subscriber.subscribe(topic, qos=1)
        async for message in subscriber.messages:
            assert isinstance(message.payload, bytes)
            seen[message.topic.value].append(message.payload.decode())
            if all(len(payloads) >= each for payloads in seen.values()):
                return seen
    return seen


async def test_every_dialect_says_what_is_on_record(tmp_path: Path) -> None:
    port = free_port()
    async with run_broker(tmp_path / "broker", building(port)), running(*arguments(tmp_path, port)) as sim:
        topics = [place["topic"] for place in sim.meters.values()]
        assert topics == ["tele/SML_1/SENSOR", "tele/PLUG_1/SENSOR", "house/em/events/rpc"]
        seen = await collect(port, topics, 3)
        assert await sim.stop() == 0
        presence = await collect(port, ["tele/SML_1/LWT", "house/em/online"], 1)
    truth: dict[tuple[str, int], Any] = {}
    for line in (tmp_path / "truth.jsonl").read_text().splitlines():
        served = json.loads(line)
        assert served["via"] == "mqtt"
        truth[served["meter"], served["payload_ms"]] = served
    for payload in map(json.loads, seen["tele/SML_1/SENSOR"]):
        at_ms = round(datetime.fromisoformat(payload["Time"]).replace(tzinfo=UTC).timestamp() * 1000)
        line = truth["SML_1", at_ms]
        sml = payload["SML"]
        assert (round(sml["Total_in"] * 1000), round(sml["Total_out"] * 1000)) == (line["import_wh"], line["export_wh"])
        assert sml["Power_curr"] == line["active_power_w"] == 3600
    for payload in map(json.loads, seen["tele/PLUG_1/SENSOR"]):
        at_ms = round(datetime.fromisoformat(payload["Time"]).replace(tzinfo=UTC).timestamp() * 1000)
        line = truth["PLUG_1", at_ms]
        assert round(payload["ENERGY"]["Total"] * 1000) == line["import_wh"]
        assert line["export_wh"] is None
        assert payload["ENERGY"]["Power"] == 7200
    exports = []
    for payload in map(json.loads, seen["house/em/events/rpc"]):
        params = payload["params"]
        line = truth["SHELLY_1", round(params["ts"] * 1000)]
        assert (params["emdata:0"]["total_act"], params["emdata:0"]["total_act_ret"]) == (
            line["import_wh"],
            line["export_wh"],
        )
        assert params["em:0"]["total_act_power"] == -36000
        exports.append((params["ts"], params["emdata:0"]["total_act_ret"]))
    (first_s, first_wh), (last_s, last_wh) = exports[0], exports[-1]
    assert last_wh - first_wh == 10 * (last_s - first_s)  # 36 kW are 10 Wh a second
    assert presence == {"tele/SML_1/LWT": ["Offline"], "house/em/online": ["false"]}


async def test_a_broker_that_hangs_does_not_hold_up_the_end(tmp_path: Path) -> None:
    connected = asyncio.Event()

    async def hang(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(1000)
        writer.write(b"\x20\x02\x00\x00")  # CONNACK, and never a word again
        connected.set()
        with contextlib.suppress(ConnectionResetError):
            while await reader.read(1000):
                pass
        writer.close()

    async with await asyncio.start_server(hang, "127.0.0.1", 0) as server:
        arguments_ = arguments(tmp_path, server.sockets[0].getsockname()[1])
        for _ in range(3):  # the moment of connecting is the delicate one
            connected.clear()
            async with running(*arguments_) as sim:
                await asyncio.wait_for(connected.wait(), PATIENCE_S)
                assert await sim.stop() == 0


async def test_a_broker_that_is_away_is_said_once_and_found_again(tmp_path: Path) -> None:
    port = free_port()
    async with running(*arguments(tmp_path, port)) as sim:
        await eventually(lambda: len(sim.log) >= 1, what="a line about the broker")
        async with run_broker(tmp_path / "broker", building(port)):
            await eventually(lambda: len(sim.log) >= 2, what="a line that it is back")
            await collect(port, ["tele/SML_1/SENSOR"], 1)
        await eventually(lambda: len(sim.log) >= 3, what="a line that it is away again")
        assert await sim.stop() == 0
    assert "is away" in sim.log[0]
    assert "is back" in sim.log[1]
    assert "is away" in sim.log[2]
    assert len(sim.log) == 3
