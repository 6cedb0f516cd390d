"""One gateway reads the whole simulated campus (TCP, RTU, MQTT); every reading is exactly what was served."""

import asyncio
import contextlib
import json
import os
import sys
from collections import defaultdict
from collections.abc import AsyncIterator
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from edge.wire.kinds import MeterDeclared, Reading
from support.servers.broker import BuildingBroker
from support.servers.gateway import Gateway, hub_side
from support.servers.nats import HubNats
from support.waiting import PATIENCE_S, eventually

SIMULATOR = Path(sys.executable).with_name("peerwatt-sim")


@contextlib.asynccontextmanager
async def campus(folder: Path, broker: BuildingBroker) -> AsyncIterator[dict[str, dict[str, Any]]]:
    """The simulator, and what it says it serves."""
    settings = {"URL": broker.url, "USERNAME": broker.username, "PASSWORD": broker.password, "PERIOD_S": "2"}
    env = {f"PEERWATT_SIM_MQTT__{name}": value for name, value in settings.items()} | {
        "PEERWATT_SIM_RUN_DIR": str(folder)
    }
    with (folder / "simulator.log").open("wb") as log:
        process = await asyncio.create_subprocess_exec(
            SIMULATOR, "run", "--truth", folder / "truth.jsonl", stdout=asyncio.subprocess.PIPE, stderr=log,
            env={**os.environ, **env},
        )  # fmt: skip
    try:
        assert process.stdout is not None
        line = await asyncio.wait_for(process.stdout.readline(), PATIENCE_S)
        yield json.loads(line)["meters"]
    finally:
        process.terminate()
        await process.wait()


def as_configured(meter_id: str, where: dict[str, Any]) -> dict[str, Any]:
    match where["transport"]:
        case "mqtt":
            return {"id": meter_id, "dialect": where["profile"], "topic": where["topic"]}
        case "rtu":
            url = f"rtu://{where['path']}?device={where['device']}"
        case transport:
            url = f"{transport}://{where['host']}:{where['port']}?device={where['device']}"
    return {"id": meter_id, "profile": where["profile"], "url": url}


def is_harmless(line: dict[str, Any]) -> bool:
    """On a busy machine a meter may answer late, and is lost until its next turn: nothing else may be remarked."""
    return line["level"] in ("info", "debug") or (line["level"], line["event"]) == ("warning", "meter lost")


async def test_every_reading_is_what_was_served(hub_nats: HubNats, broker: BuildingBroker, tmp_path: Path) -> None:
    async with campus(tmp_path, broker) as meters:
        listed = [as_configured(meter_id, where) for meter_id, where in meters.items()]
        gw = Gateway("gw-campus", tmp_path, listed, broker.settings(tmp_path), {"poll_period_s": 2})
        gw.write_config()
        gw.enrol(hub_nats)
        async with hub_side(hub_nats, gw) as hub, gw.running() as agent:

            def each_meter_thrice() -> bool:
                counts: dict[int, int] = defaultdict(int)
                for reading in hub.of(Reading):
                    counts[reading.meter_index] += 1
                return len(counts) == len(meters) and min(counts.values()) >= 3

            await eventually(each_meter_thrice, what="three readings of each meter")
            assert agent.rss_kib < 80 * 1024
            assert (spec := find_spec("pandas")) and spec.origin, "the next line means something only beside pandas"
            mapped = Path(f"/proc/{agent.process.pid}/maps").read_text()
            assert str(Path(spec.origin).parent) not in mapped and "/numpy/" not in mapped
            assert not [line for line in agent.lines() if not is_harmless(line)]

            def nobody_lost() -> bool:
                return not gw.run("status", "--config", gw.config, "--json").json["meters_lost"]

            await eventually(nobody_lost, what="every meter")
    served: dict[str, set[tuple[int, int]]] = defaultdict(set)
    for line in (tmp_path / "truth.jsonl").read_text().splitlines():
        entry = json.loads(line)
        served[entry["meter"]].add((entry["import_wh"], entry["export_wh"]))
    names = {declared.meter_index: declared.meter_id for declared in hub.of(MeterDeclared)}
    assert sorted(names.values()) == sorted(meters)
    wrong = [r for r in hub.of(Reading) if (r.import_wh, r.export_wh) not in served[names[r.meter_index]]]
    assert not wrong
