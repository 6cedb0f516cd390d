"""`peerwatt-sim` as a process: ready line, orderly end, what it remembers, and what it says when it can not run."""

import asyncio
import functools
import json
import os
import re
import signal
import socket
import subprocess
from pathlib import Path
from typing import Any

import psutil
import pytest
from pymodbus.client import AsyncModbusTcpClient

from support.servers.simulator import SIM, running
from support.waiting import PATIENCE_S, eventually

RAN: dict[str, Any] = {"capture_output": True, "text": True, "timeout": 60, "check": False}


async def import_wh(place: dict[str, Any]) -> int:
    """METER B is an iem3155: import is a 64-bit number of Wh."""
    async with AsyncModbusTcpClient(place["host"], port=place["port"]) as client:
        answer = await client.read_holding_registers(0x0C83, count=4, device_id=place["device"])
    return int.from_bytes(b"".join(word.to_bytes(2, "big") for word in answer.registers), "big")


async def grown(place: dict[str, Any], from_wh: int) -> bool:
    return await import_wh(place) > from_wh


async def test_it_serves_until_it_is_told_to_stop(small_site: Path, small_replay: Path, tmp_path: Path) -> None:
    truth = tmp_path / "truth.jsonl"
    async with running("--config", small_site, "--replay", small_replay, "--truth", truth) as sim:
        assert sim.meters["A"]["profile"] == "sdm630"
        served = await import_wh(sim.meters["B"])
        # Written through while the program runs, right after the answer
        await eventually(lambda: truth.read_text().endswith("\n"), what="a line of truth")
        line = json.loads(truth.read_text())
        assert (line["meter"], line["import_wh"], line["via"]) == ("B", served, "modbus")
        assert await sim.stop() == 0
    assert sim.log == []


async def test_ctrl_c_ends_it_while_a_client_is_connected(small_site: Path, small_replay: Path) -> None:
    async with running("--config", small_site, "--replay", small_replay) as sim:
        _, writer = await asyncio.open_connection(sim.meters["A"]["host"], sim.meters["A"]["port"])
        assert await sim.stop(signal.SIGINT) == 0
        writer.close()


@pytest.mark.parametrize("sign", [signal.SIGTERM, signal.SIGKILL])
async def test_registers_never_step_back_over_a_restart(small_site: Path, tmp_path: Path, sign: signal.Signals) -> None:
    replay = tmp_path / "fast.csv"  # 10 MW are 2777 Wh a second
    replay.write_text("time,A,B\n2026-06-17T10:00:00Z,0,10000000\n2026-06-17T10:00:05Z,0,10000000\n")
    args = ("--config", small_site, "--replay", replay, "--state", tmp_path / "state" / "registers.json")
    shown: list[int] = []
    for _ in range(3):
        async with running(*args) as sim:
            place = sim.meters["B"]
            shown.append(await import_wh(place))
            await eventually(functools.partial(grown, place, shown[-1]), what="energy that flows")
            shown.append(await import_wh(place))
            await sim.stop(sign)
    assert shown == sorted(shown)
    assert shown[-1] - shown[0] >= 3 * 2777


async def test_the_campus_runs_in_little_memory(tmp_path: Path, cache_dir: Path) -> None:
    args = ("--run-dir", tmp_path, "--cache-dir", cache_dir, "--mqtt-url", "mqtt://127.0.0.1:1", "--json")
    async with running(*args) as sim:
        assert list(sim.meters) == [f"METER_{n:03}" for n in range(1, 16)]
        assert {sim.meters[f"METER_{n:03}"]["path"] for n in range(6, 11)} == {str(tmp_path / "bus-south")}
        assert psutil.Process(sim.process.pid).memory_info().rss < 100 * 1024 * 1024
        assert await sim.stop() == 0
    assert not (tmp_path / "bus-south").is_symlink()
    assert all(json.loads(line)["event"] for line in sim.log)


async def test_chosen_ports_are_kept_where_they_are_still_free(
    small_site: Path, small_replay: Path, tmp_path: Path
) -> None:
    args = ("--config", small_site, "--replay", small_replay, "--state", tmp_path / "state.json")
    async with running(*args) as sim:
        first = {name: place["port"] for name, place in sim.meters.items()}
        await sim.stop()
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", first["B"]))
        taken.listen()
        async with running(*args) as sim:
            assert sim.meters["A"]["port"] == first["A"]
            assert sim.meters["B"]["port"] != first["B"]
            await sim.stop()


def run(*args: str | Path, **env: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([SIM, *args], env={**os.environ, **env}, **RAN)  # noqa: PLW1510 - RAN says check


def test_a_taken_port_is_named(small_site: Path, small_replay: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        small_site.write_text(small_site.read_text() + f"port = {port}\n")
        done = run("run", "--config", small_site, "--replay", small_replay)
    assert done.returncode == 1
    assert f"Port {port} of 127.0.0.1 is taken: stop what listens there" in done.stderr
    assert "Traceback" not in done.stderr


async def test_two_simulators_do_not_share_a_state_file(small_site: Path, small_replay: Path, tmp_path: Path) -> None:
    args = ("--config", small_site, "--replay", small_replay, "--state", tmp_path / "state.json")
    async with running(*args):
        done = await asyncio.to_thread(run, "run", *args)
    assert done.returncode == 1
    assert "Another simulator uses" in done.stderr


@pytest.mark.parametrize(
    ("state", "message"),
    [
        ('{"version": 99, "meters": {}}', "is a state of version 99"),
        ("{", "is not a state file of the simulator"),
        ('{"version": 1, "meters": {"A": 5}}', "is not a state file of the simulator"),
    ],
)
def test_a_state_file_that_is_not_ours(
    small_site: Path, small_replay: Path, tmp_path: Path, state: str, message: str
) -> None:
    (tmp_path / "state.json").write_text(state)
    done = run("run", "--config", small_site, "--replay", small_replay, "--state", tmp_path / "state.json")
    assert done.returncode == 78
    assert message in done.stderr
    assert "move it away" in done.stderr
    assert (tmp_path / "state.json").read_text() == state


def test_mqtt_meters_need_a_broker() -> None:
    done = run("run")
    assert done.returncode == 78
    assert "set url in [mqtt], --mqtt-url or PEERWATT_SIM_MQTT__URL" in done.stderr


def test_a_bad_replay_file_stops_it_before_it_serves(small_site: Path, tmp_path: Path) -> None:
    (tmp_path / "bad.csv").write_text("time,A,B\n2026-06-17T10:00:00Z,1,lots\n")
    commands: list[list[str | Path]] = [
        ["replay-check", tmp_path / "bad.csv"],
        ["run", "--replay", tmp_path / "bad.csv"],
    ]
    for command in commands:
        done = run(*command, "--config", small_site)
        assert done.returncode == 78
        assert "bad.csv:2: column 3 (B): 'lots' is not a number" in done.stderr


def test_a_truth_log_that_can_not_be_written(small_site: Path, small_replay: Path) -> None:
    done = run("run", "--config", small_site, "--replay", small_replay, "--truth", "/dev/null/truth")
    assert done.returncode == 1
    assert "The truth log /dev/null/truth can not be written" in done.stderr


async def test_a_full_disk_under_the_truth_log_stops_it(small_site: Path, small_replay: Path) -> None:
    args = ("--config", small_site, "--replay", small_replay, "--truth", "/dev/full")
    async with running(*args) as sim:
        await import_wh(sim.meters["B"])
        assert await asyncio.wait_for(sim.process.wait(), PATIENCE_S) == 1
    assert "No space left on device" in sim.log[-1]


def test_the_other_commands(small_site: Path, small_replay: Path) -> None:
    assert json.loads(run("version", "--json").stdout)["version"]
    assert json.loads(run("replay-check", small_replay, "--config", small_site, "--json").stdout)["span_s"] == 10
    shown = json.loads(run("site", "--sun-offset", "--json").stdout)
    assert shown["site_time"][5:7] == "06"
    assert "T10:00:0" in shown["site_time"]
    assert len(shown["meters"]) == 15
    assert json.loads(run("site", "--json", PEERWATT_SIM_SUN_OFFSET="1").stdout)["site_time"][5:7] == "06"
    assert {"id", "building", "serial", "rated_power_w", "pv_wp"} <= set(shown["meters"][0])
    assert "METER_015" in run("site").stdout


def test_help_shows_the_environment_twin_of_every_flag() -> None:
    text = run("run", "--help").stdout
    for flag in (
        "CONFIG", "SEED", "REPLAY", "TRUTH", "STATE", "CACHE_DIR", "RUN_DIR", "SUN_OFFSET_S", "MQTT__URL", "JSON",
        "SCENARIO", "HOLD_GAPS",
    ):  # fmt: skip
        assert re.search(rf"\(env: PEERWATT_SIM_{flag}[=;]", " ".join(text.split()))
    assert run("replay-check", "x.csv", PEERWATT_SIM_CONFIG="/nowhere.toml").returncode == 78


def test_nothing_heavy_is_imported_to_serve() -> None:
    code = (
        "import sys, firmware_sim.cli, firmware_sim.run;"
        "print([m for m in ('pandas', 'numpy', 'pvlib', 'demandlib', 'pymodbus', 'edge', 'hub') if m in sys.modules])"
    )
    done = subprocess.run([SIM.with_name("python"), "-c", code], **RAN)  # noqa: PLW1510 - see run
    assert done.stdout.strip() == "[]", done.stderr
