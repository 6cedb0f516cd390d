"""A scenario of meters that publish, through a real broker: what any subscriber sees, and the truth log's labels."""

import asyncio
import json
import signal
from collections.abc import Callable
from pathlib import Path
from typing import Any

from pymodbus.client import AsyncModbusTcpClient

from hub.embedded.processes import free_port
from support.servers.broker import BuildingBroker, run_broker
from support.servers.simulator import running
from support.waiting import PATIENCE_S, eventually

METERS = """
[mqtt]
period_s = 1
[[meter]]
id = "SML"
profile = "tasmota-sml"
transport = "mqtt"
[[meter]]
id = "SHELLY"
profile = "shelly-gen2"
transport = "mqtt"
[[meter]]
id = "MODBUS"
profile = "sdm630"
transport = "tcp"
"""
REPLAY = "time,SML,SHELLY,MODBUS\n2026-06-17T10:00:00Z,3600,7200,3600\n2026-06-17T10:01:00Z,3600,7200,3600\n"
SCENARIO = """
start = 2026-06-17T10:00:00+02:00

[[fault]]
name = "at-once"
kind = "reset"
meters = ["MODBUS"]
at = 10:00:00

[[fault]]
name = "twice"
kind = "repeat"
meters = ["SML"]
copies = 1
answers = 2

[[fault]]
name = "away"
kind = "offline"
meters = ["SML"]
after = "twice"
for_s = 3

[[fault]]
kind = "retained"
meters = ["SML"]
after = "away"

[[fault]]
kind = "clock"
meters = ["SML"]
after = "away"
uptime = true

[[fault]]
kind = "late"
meters = ["SHELLY"]
late_ms = 2500

[[fault]]
kind = "split"
meters = ["SHELLY"]
"""
Message = tuple[str, str, bool]
"""Topic, payload, and whether it was retained."""


async def until(subscriber: Any, seen: list[Message], enough: Callable[[], bool]) -> None:
    async with asyncio.timeout(PATIENCE_S):
        async for message in subscriber.messages:
            seen.append((message.topic.value, message.payload.decode(), message.retain))
            if enough():
                return


async def test_a_subscriber_sees_what_the_scenario_says(tmp_path: Path) -> None:
    broker = BuildingBroker(free_port(), "building", "secret")
    mqtt = f'[mqtt]\nurl = "{broker.url}"\nusername = "building"\npassword = "secret"\n'
    site = METERS.replace("[mqtt]\n", mqtt)
    for name, text in (("sim.toml", site), ("replay.csv", REPLAY), ("faults.toml", SCENARIO)):
        (tmp_path / name).write_text(text)
    args = (
        "--config", tmp_path / "sim.toml", "--replay", tmp_path / "replay.csv", "--truth", tmp_path / "truth.jsonl",
        "--scenario", tmp_path / "faults.toml",
    )  # fmt: skip
    seen: list[Message] = []
    async with run_broker(tmp_path / "broker", broker), broker.client() as subscriber:
        await subscriber.subscribe("#", qos=1)
        async with running(*args) as sim:

            def sml() -> list[dict[str, Any]]:
                return [json.loads(text) for topic, text, _ in seen if topic == "tele/SML/SENSOR"]

            await until(subscriber, seen, lambda: any(p["Time"].startswith("1970") for p in sml()))
            async with broker.client() as newcomer:
                await newcomer.subscribe("tele/SML/SENSOR", qos=1)
                first: list[Message] = []
                await until(newcomer, first, lambda: len(first) == 1)
            truth = tmp_path / "truth.jsonl"
            await eventually(
                lambda: '"fault":"retained-4"' in truth.read_text(), what="the label of a fault that began"
            )
            assert await sim.stop() == 0
    assert first[0][2], "a new subscriber gets the retained message"
    times = [payload["Time"] for payload in sml() if not payload["Time"].startswith("1970")]
    assert {times.count(time) for time in times[:4]} == {2}, "two messages, each twice"
    presence = [text for topic, text, _ in seen if topic == "tele/SML/LWT"]
    assert presence[:3] == ["Online", "Offline", "Online"]
    parts = [set(json.loads(text)["params"]) - {"ts"} for topic, text, _ in seen if topic == "SHELLY/events/rpc"]
    assert parts[:2] == [{"em:0"}, {"emdata:0"}]
    lines = [json.loads(line) for line in truth.read_text().splitlines()]
    away = [line for line in lines if line["via"] == "mqtt" and "away" in line["faults"]]
    assert {line["import_wh"] for line in away} == {None}
    assert all(line["flowed_import_wh"] == line["counted_import_wh"] for line in away)
    late = [line for line in lines if line["via"] == "mqtt" and line["meter"] == "SHELLY"]
    assert all(line["t_ms"] >= line["payload_ms"] + 2500 for line in late)
    ended = {
        line["fault"]: line["answers"] for line in lines if line["via"] == "scenario" and line["to_ms"] is not None
    }
    assert ended["twice"] == 2
    assert ended["at-once"] == 0, "at the moment of the site's time at which the scenario starts"


async def test_a_killed_simulator_goes_on_with_its_scenario(tmp_path: Path) -> None:
    (tmp_path / "sim.toml").write_text('[[meter]]\nid = "B"\nprofile = "iem3155"\ntransport = "tcp"\n')
    (tmp_path / "replay.csv").write_text("time,B\n2026-06-17T10:00:00Z,3600\n2026-06-17T10:00:05Z,3600\n")
    (tmp_path / "faults.toml").write_text('[[fault]]\nkind = "swap"\nmeters = ["B"]\nimport_wh = 54000000\n')
    args = (
        "--config", tmp_path / "sim.toml", "--replay", tmp_path / "replay.csv", "--truth", tmp_path / "truth.jsonl",
        "--scenario", tmp_path / "faults.toml", "--state", tmp_path / "state.json",
    )  # fmt: skip
    shown_wh, truth = [], tmp_path / "truth.jsonl"
    for _ in range(2):
        async with running(*args) as sim:
            place = sim.meters["B"]
            async with AsyncModbusTcpClient(place["host"], port=place["port"]) as client:
                answer = await client.read_holding_registers(0x0C83, count=4, device_id=1)
            shown_wh.append(int.from_bytes(b"".join(word.to_bytes(2, "big") for word in answer.registers), "big"))
            await eventually(lambda: f'"import_wh":{shown_wh[-1]},' in truth.read_text(), what="the line of the answer")
            await sim.stop(signal.SIGKILL)
    assert 54_000_000 <= shown_wh[0] <= shown_wh[1] < 54_100_000
    labels = [line for line in map(json.loads, truth.read_text().splitlines()) if line["via"] == "scenario"]
    assert [label["fault"] for label in labels] == ["swap-1"], "it does not happen again after the restart"
