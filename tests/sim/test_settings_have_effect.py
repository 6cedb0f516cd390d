"""Every setting of the simulator does what it says: each has a proof here that runs it, or a part of it, with it."""

import asyncio
import json
import struct
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from pymodbus import FramerType
from pymodbus.client import AsyncModbusSerialClient, AsyncModbusTcpClient
from pymodbus.client.base import ModbusBaseClient

from firmware_sim.cli import main
from firmware_sim.meter import serial_number
from firmware_sim.run import make_options, power_source
from firmware_sim.series import LOAD_STEP_S, PV_STEP_S, SeriesRequest, write_series
from firmware_sim.settings import Settings, load_settings
from hub.embedded.processes import free_port
from support.servers.broker import BuildingBroker, run_broker
from support.servers.simulator import running
from support.settings_proofs import SettingsProofs
from support.waiting import PATIENCE_S

PROOFS = SettingsProofs(Settings)
proves = PROOFS.proves
YEAR = 2031
"""The year at the site."""
AT_SITE_S = int(datetime(YEAR, 6, 18, tzinfo=UTC).timestamp())


def test_every_setting_has_a_proof() -> None:
    PROOFS.check()


SITE = {"name": "Test field", "latitude": -30, "longitude": 100, "altitude_m": 700, "tz": "Asia/Tokyo"}
ROOFS = {(10, 90): 500_000, (60, 270): 250_000}
"""Power by tilt and azimuth in mW per kWp, all year."""
LOADS = {"g3": 200_000, "l2": 300_000}
"""Power by profile in uW per kWh a year, all year."""


def cached_series(folder: Path, roofs: Mapping[tuple[int, int], int], loads: Mapping[str, int]) -> None:
    """Writes what the builder would have built for the site: a sun and loads that never change."""
    folder.mkdir(exist_ok=True)
    request = SeriesRequest(YEAR, -30.0, 100.0, 700, "Asia/Tokyo", tuple(roofs), tuple(loads))
    year_s = 365 * 86_400
    series = {f"pv/{tilt}/{azimuth}": [power] * (year_s // PV_STEP_S + 1) for (tilt, azimuth), power in roofs.items()}
    series |= {f"load/{name}": [power] * (year_s // LOAD_STEP_S) for name, power in loads.items()}
    write_series(folder / f"series-{YEAR}-{request.key}.bin", request, series)


def write(config: Path, *meters: Mapping[str, Any], **settings: Any) -> None:
    """Writes the simulator's file; a table is a ``dict``."""
    tables = {name: value for name, value in settings.items() if isinstance(value, dict)}
    text = _toml({name: value for name, value in settings.items() if name not in tables})
    text += "".join(f"[{name}]\n{_toml(table)}" for name, table in tables.items())
    config.write_text(text + "".join(f"[[meter]]\n{_toml(meter)}" for meter in meters))


def _toml(values: Mapping[str, Any]) -> str:
    """Returns lines of TOML: JSON is TOML for what is used here, but for a table in a value."""
    flat = {f"{name}.{key}": inner for name, value in values.items() if isinstance(value, dict)
            for key, inner in value.items()}  # fmt: skip
    flat |= {name: value for name, value in values.items() if not isinstance(value, dict)}
    return "".join(f"{name} = {json.dumps(value, default=str)}\n" for name, value in flat.items())


@pytest.fixture
def config(tmp_path: Path) -> Path:
    return tmp_path / "sim.toml"


async def registers(client: ModbusBaseClient, device: int, function: int, address: int, count: int) -> bytes:
    """Reads from a device; returns the registers' bytes in the order of the wire."""
    async with client:
        read = client.read_holding_registers if function == 3 else client.read_input_registers
        answer = await read(address, count=count, device_id=device)
    return struct.pack(f">{count}H", *answer.registers)


@proves("Settings.sun_offset_s", "Settings.run_dir", "Settings.seed", "Site.latitude", "Site.longitude",
        "Site.altitude_m", "Site.tz", "Meter.id", "Meter.profile", "Meter.transport", "Meter.host", "Meter.port",
        "Meter.endpoint", "Meter.device", "Meter.path", "Meter.topic", "Meter.pv_kwp", "Meter.pv_tilt_deg",
        "Meter.pv_azimuth_deg", "Load.profile", "Load.annual_kwh", "Mqtt.url", "Mqtt.username", "Mqtt.password",
        "Mqtt.period_s")  # fmt: skip
async def test_each_meter_is_where_it_is_set_and_shows_what_is_behind_it(config: Path, tmp_path: Path) -> None:
    """The series that the site and the meters need lie in the cache: with others the powers would be others."""
    cached_series(tmp_path / "cache", ROOFS, LOADS)
    port = free_port()
    broker = BuildingBroker(free_port(), "building", "secret")
    east, west = {"pv_tilt_deg": 10, "pv_azimuth_deg": 90}, {"pv_tilt_deg": 60, "pv_azimuth_deg": 270}
    cabinet = {"transport": "rtutcp", "host": "127.0.0.5", "endpoint": "cabinet"}
    g3, l2 = {"profile": "g3", "annual_kwh": 5_000}, {"profile": "l2", "annual_kwh": 20_000}
    write(
        config,
        {"id": "ALONE", "profile": "sdm630", "transport": "tcp", "host": "127.0.0.4", "port": port, "device": 7,
         "pv_kwp": 4, **east},
        {"id": "ON_BUS", "profile": "sdm120", "transport": "rtu", "path": "line", "device": 9, "pv_kwp": 3, **west},
        {"id": "NIGHTS", "profile": "iem3155", "device": 3, "load": g3, **cabinet},
        {"id": "FARM", "profile": "abb-b23", "device": 4, "load": l2, **cabinet},
        {"id": "ROOF", "profile": "tasmota-sml", "transport": "mqtt", "topic": "house/roof", "pv_kwp": 3, **west},
        seed=77, sun_offset_s=AT_SITE_S - int(time.time()), run_dir=tmp_path / "run", site=SITE,
        mqtt={"url": broker.url, "username": "building", "password": "secret", "period_s": 2},
    )  # fmt: skip
    async with run_broker(tmp_path / "broker", broker), broker.client() as subscriber:
        await subscriber.subscribe("tele/house/roof/SENSOR", qos=1)
        async with running("--config", config, "--cache-dir", tmp_path / "cache") as sim:
            client: ModbusBaseClient = AsyncModbusTcpClient("127.0.0.4", port=port)
            alone = await registers(client, 7, 4, 0x0034, 2)
            client = AsyncModbusSerialClient(str(tmp_path / "run" / "line"), timeout=2)
            on_bus = await registers(client, 9, 4, 0x000C, 2)
            shared = [sim.meters[name]["port"] for name in ("NIGHTS", "FARM")]
            client = AsyncModbusTcpClient("127.0.0.5", port=shared[0], framer=FramerType.RTU)
            nights = await registers(client, 3, 3, 0x0BF3, 2)
            client = AsyncModbusTcpClient("127.0.0.5", port=shared[1], framer=FramerType.RTU)
            farm = await registers(client, 4, 3, 0x5B14, 2)
            published: list[dict[str, Any]] = []
            async with asyncio.timeout(PATIENCE_S):
                async for message in subscriber.messages:
                    assert isinstance(message.payload, bytes)
                    published.append(json.loads(message.payload))
                    if len(published) >= 2 and any(int(one["Time"][-2:]) % 10 for one in published):
                        break
            assert await sim.stop() == 0
    assert shared[0] == shared[1]
    assert (struct.unpack(">f", alone), struct.unpack(">f", on_bus)) == ((-2000,), (-750,))
    assert struct.unpack(">f", nights)[0] == pytest.approx(1, rel=0.15), "kW"
    assert struct.unpack(">i", farm)[0] == pytest.approx(600_000, rel=0.15), "hundredths of a W"
    assert {one["SML"]["Power_curr"] for one in published} == {-750}
    assert {int(one["Time"][-2:]) % 2 for one in published} == {0}, "at whole multiples of two seconds"
    assert {one["SML"]["Meter_number"] for one in published} == {str(serial_number(77, "ROOF"))}


@proves("Mqtt.password_file")
async def test_the_password_file_goes_before_the_password(config: Path, tmp_path: Path, small_replay: Path) -> None:
    broker = BuildingBroker(free_port(), "building", "secret")
    (tmp_path / "password").write_text("secret\n")
    meters = [{"id": name, "profile": "tasmota-sml", "transport": "mqtt"} for name in ("A", "B")]
    write(config, *meters, mqtt={"url": broker.url, "username": "building", "password": "not this one",
                                 "password_file": tmp_path / "password"})  # fmt: skip
    async with run_broker(tmp_path / "broker", broker), broker.client() as subscriber:
        await subscriber.subscribe("tele/A/LWT", qos=1)
        async with running("--config", config, "--replay", small_replay), asyncio.timeout(PATIENCE_S):
            message = await anext(aiter(subscriber.messages))
    assert message.payload == b"Online"


@proves("Settings.seed")
def test_the_variation_of_loads_follows_from_the_seed(tmp_path: Path) -> None:
    cached_series(tmp_path, {}, {"g3": 200_000})
    meter = {"id": "M", "profile": "sdm630", "transport": "tcp", "load": {"profile": "g3", "annual_kwh": 5_000}}
    seen: list[list[int]] = []
    for seed in (1, 2, 1):
        settings = load_settings(seed=seed, site=SITE, meter=[meter])
        source, _ = power_source(make_options(settings, replay=None, truth=None, state=None, cache_dir=tmp_path))
        seen.append([source.segment("M", AT_SITE_S + step * 10)[0] for step in range(20)])
    assert seen[0] == seen[2] != seen[1]


@proves("Settings.seed", "Settings.sun_offset_s", "Site.name", "Site.latitude", "Site.longitude", "Site.altitude_m",
        "Site.tz", "Meter.id", "Meter.building", "Meter.profile", "Meter.transport", "Meter.pv_kwp", "Load.profile",
        "Load.annual_kwh")  # fmt: skip
def test_site_shows_what_is_set(config: Path, capsys: pytest.CaptureFixture[str]) -> None:
    meter = {"id": "ROOF", "building": "barn", "profile": "iem3155", "transport": "tcp", "pv_kwp": 1.5}
    load = {"profile": "l1", "annual_kwh": 1234}
    offset_s = AT_SITE_S - int(time.time())
    write(config, {**meter, "load": load}, seed=77, sun_offset_s=offset_s, site=SITE)
    assert main(["site", "--config", str(config), "--json"]) == 0
    shown = json.loads(capsys.readouterr().out)
    assert (shown["site"], shown["seed"], shown["sun_offset_s"]) == (SITE, 77, offset_s)
    assert shown["site_time"].startswith(f"{YEAR}-06-18T0") and shown["site_time"].endswith("+09:00")
    (shown_meter,) = shown["meters"]
    assert shown_meter["serial"] == str(serial_number(77, "ROOF"))
    expected = {**meter, "pv_wp": 1500, "load_profile": "l1", "load_annual_kwh": 1234}
    assert {name: shown_meter.get(name, 1.5) for name in expected} == expected


@proves("Site.latitude", "Site.longitude", "Site.altitude_m", "Site.tz", "Meter.pv_tilt_deg", "Meter.pv_azimuth_deg",
        "Load.profile")  # fmt: skip
def test_the_builder_reckons_with_the_site_and_the_roof() -> None:
    """On a day in June, in quarters of an hour by UTC."""
    days = built_days(
        flat=pv_day(), east=pv_day(longitude=90), north=pv_day(latitude=60), mountain=pv_day(altitude_m=3000),
        wall=pv_day({"pv_tilt_deg": 90}), morning=pv_day({"pv_tilt_deg": 60, "pv_azimuth_deg": 90}),
        evening=pv_day({"pv_tilt_deg": 60, "pv_azimuth_deg": 270}), trade=load_day("g1", "UTC"),
        japan=load_day("g1", "Asia/Tokyo"), evenings=load_day("g3", "UTC"),
    )  # fmt: skip
    flat = days["flat"]
    assert noon(flat) == noon(days["east"]) + 24, "90 degrees further east, noon is six hours earlier"
    assert daylight(days["north"]) > daylight(flat) + 16, "30 degrees further north, the day is longer"
    assert max(days["mountain"]) > max(flat)
    assert max(days["wall"]) < max(flat)
    assert noon(days["morning"]) < noon(flat) - 4
    assert noon(days["evening"]) > noon(flat) + 4
    assert days["trade"][36:] == days["japan"][:-36], "nine hours"
    assert days["trade"] != days["evenings"]


def pv_day(roof: Mapping[str, Any] | None = None, **site: Any) -> dict[str, Any]:
    """Returns the request for power in mW per kWp of this roof at this site; unchanged, it is flat, at 30 N 0 E."""
    return request_of(site, {"pv_kwp": 1, "pv_tilt_deg": 0, **(roof or {})})


def load_day(profile: str, tz: str) -> dict[str, Any]:
    """Returns the request for power in uW per kWh a year."""
    return request_of({"tz": tz}, {"load": {"profile": profile, "annual_kwh": 1}})


def request_of(site: Mapping[str, Any], meter: Mapping[str, Any]) -> dict[str, Any]:
    """Returns the request, as it reaches the builder, for one meter with a roof or a load."""
    place = {"latitude": 30, "longitude": 0, "altitude_m": 0, "tz": "UTC", **site}
    settings = load_settings(site=place, meter=[{"id": "M", "profile": "sdm630", "transport": "tcp", **meter}])
    return asdict(SeriesRequest.of(settings, 2026))


BUILD_DAYS = """
import json, sys
import pandas as pd
from firmware_sim import profile_builder
from firmware_sim.series import SeriesRequest

day = pd.date_range("2026-06-17", "2026-06-18", freq="900s", tz="UTC", inclusive="left")
days = {}
for name, fields in json.load(sys.stdin).items():
    request = SeriesRequest.from_json(fields)
    build = profile_builder.pv_milliwatts_per_kwp if request.pv else profile_builder.load_microwatts_per_kwh
    (days[name],) = build(request, day).values()
json.dump(days, sys.stdout)
"""


def built_days(**requests: dict[str, Any]) -> dict[str, list[int]]:
    """Returns what the builder makes of each request for one day.

    In a process of its own, as the simulator runs it: what pvlib loads has ended test processes (segmentation fault).
    """
    done = subprocess.run(
        [sys.executable, "-c", BUILD_DAYS], input=json.dumps(requests), capture_output=True, text=True, check=True
    )
    days: dict[str, list[int]] = json.loads(done.stdout)
    return days


def noon(day: Sequence[int]) -> int:
    """Returns the quarter of an hour in which most power flows."""
    return max(range(len(day)), key=day.__getitem__)


def daylight(day: Sequence[int]) -> int:
    """Returns how many quarters of an hour have power."""
    return sum(power > 0 for power in day)
