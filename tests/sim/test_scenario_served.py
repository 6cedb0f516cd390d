"""A scenario over the wire: what a plain client gets from a meter with faults, and what the truth log says then."""

import asyncio
import contextlib
import json
import struct
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from pymodbus.client import AsyncModbusSerialClient, AsyncModbusTcpClient
from pymodbus.exceptions import ModbusIOException

from firmware_sim.clock import ManualClock
from firmware_sim.fleet import Fleet
from firmware_sim.modbus_responder import Device, ModbusResponder, SimulatorContext
from firmware_sim.modbus_server import listen
from firmware_sim.register_maps import MAPS
from firmware_sim.rtu_bus import serve_bus
from firmware_sim.run import make_options, on_scenario_day
from firmware_sim.scenario.file import LoadedScenario, Scenario
from firmware_sim.scenario.play import ScenarioPlay
from firmware_sim.scenario.timeline import SiteClock
from firmware_sim.settings import Settings, load_settings
from firmware_sim.state import SavedState, read_state
from firmware_sim.truth_log import TruthLog
from hub.demo.served_log import read_log, slots_of
from support.servers.simulator import NOW_S, Bench, SteadyPower, modbus_settings
from support.waiting import PATIENCE_S

IMPORT = (0x0C83, 4)
"""The import register of an iem3155, in Wh."""


def scenario(*faults: dict[str, Any], digest: str = "", **content: Any) -> LoadedScenario:
    content["fault"] = [{"meters": ["M1"], **fault} for fault in faults]
    return LoadedScenario(Path("x.toml"), digest, Scenario.model_validate(content))


def play_of(loaded: LoadedScenario, settings: Settings, start_s: int = NOW_S) -> ScenarioPlay:
    clock = SiteClock(start_s, 0, ZoneInfo("Europe/Berlin"))
    return ScenarioPlay(loaded, clock, tuple(meter.id for meter in settings.meter), settings.seed)


@contextlib.contextmanager
def faulty(folder: Path, *faults: dict[str, Any], profile: str = "iem3155", **meter: Any) -> Iterator[Bench]:
    """A desk with one meter, M1, that has these faults, under 3,600 W and a clock that stands still."""
    settings, clock = modbus_settings([profile], **meter), ManualClock(NOW_S * 1000)
    fleet = Fleet(settings, SteadyPower(3600), {}, NOW_S, None, play_of(scenario(*faults), settings))
    truth_file = folder / "truth.jsonl"
    truth = TruthLog(truth_file)
    context = SimulatorContext(fleet, truth, clock, asyncio.get_running_loop().create_future())
    devices = {1: Device(fleet.meters["M1"], MAPS[profile])}
    try:
        yield Bench(ModbusResponder(context, devices), clock, fleet, truth_file)
    finally:
        truth.close()


async def read(client: AsyncModbusTcpClient | AsyncModbusSerialClient, place: tuple[int, int] = IMPORT) -> int | str:
    """Returns the number in the registers, or what the client says instead."""
    try:
        answer = await client.read_holding_registers(place[0], count=place[1], device_id=1)
    except ModbusIOException:
        return "nothing"
    if answer.isError():
        return f"exception {answer.exception_code}"
    return int.from_bytes(b"".join(word.to_bytes(2, "big") for word in answer.registers), "big")


async def test_zeros_come_so_often_as_the_file_says_and_the_truth_goes_on_beside_them(tmp_path: Path) -> None:
    fault = {"kind": "zeros", "name": "reboot", "at_s": 10, "answers": 2}
    with faulty(tmp_path, fault) as on:
        async with listen(on.responder, "127.0.0.1", 0) as port, AsyncModbusTcpClient("127.0.0.1", port=port) as client:
            values = []
            for _ in range(5):
                values.append(await read(client))
                on.clock.ms += 10_000
        first = values[0]
        assert isinstance(first, int)
        assert values == [first, 0, 0, first + 30, first + 40]
        lines = on.truth()
        readings = [line for line in lines if line["via"] == "modbus"]
        assert [line["import_wh"] for line in readings] == values
        for key in ("flowed_import_wh", "counted_import_wh"):
            assert [line[key] - first for line in readings] == [0, 10, 20, 30, 40]
        assert [line["faults"] for line in readings] == [[], ["reboot"], ["reboot"], [], []]
        labels = [line for line in lines if line["via"] == "scenario"]
        assert [(line["fault"], line["kind"], line["meter"], line["import_wh"]) for line in labels] == [
            ("reboot", "zeros", "M1", None)
        ] * 2
        begun_ms, ended_ms = (NOW_S + 10) * 1000, (NOW_S + 21) * 1000
        assert [(line["from_ms"], line["to_ms"], line["answers"]) for line in labels] == [
            (begun_ms, None, 0), (begun_ms, ended_ms, 2),
        ]  # fmt: skip


@pytest.mark.parametrize(
    ("fault", "expected"),
    [
        ({"kind": "silence"}, "nothing"),
        ({"kind": "power_cut"}, "nothing"),
        ({"kind": "exception", "code": 4}, "exception 4"),
        ({"kind": "exception", "code": 2, "quantities": ["import"]}, "exception 2"),
        ({"kind": "wrong_unit", "unit": 9}, "nothing"),
        ({"kind": "truncated"}, "nothing"),
        ({"kind": "wrong_profile", "profile": "sdm630"}, "exception 2"),
        ({"kind": "value", "quantities": ["import"], "shows": "lowest"}, 1 << 63),
        ({"kind": "value", "quantities": ["import"], "shows": "not_available"}, (1 << 63) - 1),
        ({"kind": "constant", "import_wh": 5}, 5),
    ],
)
async def test_what_a_client_gets(tmp_path: Path, fault: dict[str, Any], expected: int | str) -> None:
    with faulty(tmp_path, {"at_s": 10, "for_s": 10, **fault}) as on:
        async with listen(on.responder, "127.0.0.1", 0) as port:
            values = []
            for _ in range(3):
                async with AsyncModbusTcpClient("127.0.0.1", port=port, timeout=0.2, retries=0) as client:
                    values.append(await read(client))
                on.clock.ms += 10_000
        assert values[1] == expected
        assert isinstance(values[0], int)
        assert isinstance(values[2], int)
        assert [len(line["faults"]) for line in on.truth() if line["via"] == "modbus"] == [0, 1, 0]


async def test_a_refused_quantity_costs_only_requests_for_it(tmp_path: Path) -> None:
    with faulty(tmp_path, {"kind": "exception", "code": 2, "quantities": ["frequency"]}) as on:
        async with listen(on.responder, "127.0.0.1", 0) as port, AsyncModbusTcpClient("127.0.0.1", port=port) as client:
            assert await read(client, (0x0C25, 2)) == "exception 2"
            assert await read(client, (0x0BB7, 112)) == "exception 2"
            assert isinstance(await read(client), int)


@pytest.mark.parametrize("fault", [{"kind": "crc_error"}, {"kind": "truncated"}, {"kind": "silence"}])
async def test_a_bus_may_spoil_an_answer(tmp_path: Path, fault: dict[str, Any]) -> None:
    with faulty(tmp_path, {"for_s": 10, **fault}) as on, serve_bus(on.responder, tmp_path / "bus") as path:
        async with AsyncModbusSerialClient(str(path), timeout=0.2, retries=0) as client:
            assert await read(client) == "nothing"
        on.clock.ms += 10_000
        async with AsyncModbusSerialClient(str(path), timeout=2) as client:
            assert isinstance(await read(client), int)


async def test_a_late_answer_is_of_the_moment_in_which_it_was_asked_for(tmp_path: Path) -> None:
    with faulty(tmp_path, {"kind": "late", "late_ms": 350}) as on:
        response = on.responder.respond(1, struct.pack(">BHH", 3, *IMPORT))
        assert response.late_s == 0.35
        with serve_bus(on.responder, tmp_path / "bus") as path:
            async with AsyncModbusSerialClient(str(path), timeout=5) as client:
                asked = asyncio.create_task(read(client))
                await asyncio.sleep(0)
                value = await asked
        async with listen(on.responder, "127.0.0.1", 0) as port, AsyncModbusTcpClient("127.0.0.1", port=port) as client:
            assert await read(client) == value == on.fleet.meters["M1"].snapshot(NOW_S).import_wh


async def test_a_meter_with_one_connection_closes_a_second_one(tmp_path: Path) -> None:
    with faulty(tmp_path, {"kind": "single_connection", "for_s": 10}) as on:
        async with listen(on.responder, "127.0.0.1", 0) as port, AsyncModbusTcpClient("127.0.0.1", port=port) as first:
            assert isinstance(await read(first), int)
            reader, writer = await asyncio.open_connection("127.0.0.1", port)
            assert await asyncio.wait_for(reader.read(1), PATIENCE_S) == b""
            writer.close()
            on.clock.ms += 10_000
            async with AsyncModbusTcpClient("127.0.0.1", port=port) as second:
                assert isinstance(await read(second), int)


async def test_the_ground_truth_of_the_demo_reads_a_log_with_labels(tmp_path: Path) -> None:
    with faulty(tmp_path, {"kind": "silence", "at_s": 10, "for_s": 10}) as on:
        for _ in range(4):
            on.responder.log_served(on.responder.respond(1, struct.pack(">BHH", 3, 0x0C83, 8)).served)
            on.clock.ms += 10_000
        assert {line["via"] for line in on.truth()} == {"modbus", "scenario"}
        slots = slots_of(read_log(on.truth_file), "M1", 10)
    assert [slot - NOW_S for slot in slots] == [0, 20, 30]
    assert [wh - slots[NOW_S][1] for _, wh, _ in slots.values()] == [0, 20, 30]


def shown(fleet: Fleet, at_s: int) -> int:
    return fleet.answer("M1", NOW_S + at_s).snapshot.import_wh


def test_a_scenario_goes_on_after_a_restart_where_it_was(tmp_path: Path) -> None:
    """While the simulator is off nothing flows, but what happens to a display happens."""
    settings = modbus_settings(["iem3155"])
    loaded = scenario(
        {"kind": "reset", "at_s": 10},
        {"kind": "jump", "at_s": 50, "import_wh": 1000},
        {"kind": "zeros", "at_s": 25, "answers": 5},
        {"kind": "frozen", "at_s": 70, "for_s": 10},
        {"kind": "misread", "after": "zeros-3", "import_wh": 5},
        digest="one",
    )
    path, power = tmp_path / "state.json", SteadyPower(3600)
    fleet = Fleet(settings, power, {}, NOW_S, path, play_of(loaded, settings))
    assert (shown(fleet, 20), shown(fleet, 30)) == (10, 0)
    fleet.save(NOW_S + 30)
    saved = read_state(path)
    assert saved.play is not None
    assert (saved.play.start_s, saved.play.digest) == (NOW_S, "one")
    again = Fleet(settings, power, saved.meters, NOW_S + 60, path, play_of(loaded, settings), saved.play)
    assert [shown(again, at_s) for at_s in (60, 70, 80, 90)] == [1025, 1035, 1035, 1045]
    energy = again.meters["M1"].energy_at(NOW_S + 90)
    start = saved.meters["M1"].flowed.wh[0] - 30
    assert (energy.flowed.wh[0] - start, energy.counted.wh[0] - start) == (60, 50)
    assert again.play is not None
    labels = [(label.fault, label.to_s and label.to_s - NOW_S) for label in again.play.changes(NOW_S + 80)]
    assert labels == [("jump-2", 50), ("zeros-3", 31), ("frozen-4", None), ("frozen-4", 80), ("misread-5", None)]


def test_a_state_without_faults_has_registers_only(tmp_path: Path) -> None:
    settings = modbus_settings(["iem3155"])
    Fleet(settings, SteadyPower(3600), {}, NOW_S, tmp_path / "state.json").save(NOW_S + 5)
    state = json.loads((tmp_path / "state.json").read_text())
    assert set(state) == {"version", "meters"}
    assert set(state["meters"]["M1"]) == {"import_ws", "export_ws"}
    assert read_state(tmp_path / "none.json") == SavedState()
    saved = read_state(tmp_path / "state.json")
    play = play_of(scenario({"kind": "zeros", "at_s": 10}), settings, NOW_S + 5)
    fleet = Fleet(settings, SteadyPower(3600), saved.meters, NOW_S + 5, None, play)
    energy = fleet.meters["M1"].energy_at(NOW_S + 6)
    assert energy.shown == energy.flowed == energy.counted == saved.meters["M1"].shown.plus(3600, 0)


def test_site_time_is_the_scenario_s_unless_it_is_moved_otherwise(tmp_path: Path) -> None:
    loaded = scenario(start=datetime(2026, 6, 17, 2, tzinfo=UTC))
    night_s = 1781661600
    for sun_offset_s, expected in ((0, night_s - NOW_S), (7, 7)):
        settings = load_settings(sun_offset_s=sun_offset_s)
        options = make_options(settings, replay=None, truth=None, state=None, cache_dir=tmp_path, scenario=loaded)
        assert on_scenario_day(options, NOW_S).sun_offset_s == expected
