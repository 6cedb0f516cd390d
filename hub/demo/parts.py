"""The commands and configuration files of the demo's processes: simulator, ledger, API, worker and the three agents."""

import json
import socket
import sys
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from hub.demo.site import CURRENCY, NAME, TIMEZONE, Building
from hub.demo.state import State
from hub.demo.supervisor import Part
from hub.embedded.processes import run_once
from hub.ledger.guarded_clock import GAP_FLAG
from hub.settings import Settings

SCRIPTS = Path(sys.executable).parent
POLL_PERIOD_S = 10
SEAL_INTERVAL_S = 5
GRACE_S = 20
LONGEST_REST_DAYS = 3650
"""A demo may be started again after years; nobody asks how long it was off."""


@dataclass(frozen=True)
class Broker:
    """The building's MQTT broker and the one login it has."""

    port: int
    username: str
    password: str

    @property
    def url(self) -> str:
        return f"mqtt://127.0.0.1:{self.port}"


def simulator(state: State, broker: Broker, sun_offset_s: int) -> Part:
    """The meters; their registers and the log of what they served stay in the state folder."""
    folder = state.part("sim")
    command: list[str | Path] = [
        SCRIPTS / "peerwatt-sim", "run", "--truth", truth_file(state), "--state", folder / "registers.json",
        "--cache-dir", folder / "cache", "--run-dir", folder, "--mqtt-url", broker.url, "--json",
        f"--sun-offset-s={sun_offset_s}",
    ]  # fmt: skip
    env = {
        "PEERWATT_SIM_MQTT__USERNAME": broker.username,
        "PEERWATT_SIM_MQTT__PASSWORD": broker.password,
        "PEERWATT_SIM_MQTT__PERIOD_S": str(POLL_PERIOD_S),
    }
    return Part("simulator", command, env, announces=True)


async def describe_site() -> dict[str, Any]:
    """What the simulator says of its site and meters: serial numbers, ratings, and the offset of a June morning."""
    output = await run_once([str(SCRIPTS / "peerwatt-sim"), "site", "--sun-offset", "--json"])
    return dict(json.loads(output))


def truth_file(state: State) -> Path:
    """The simulator's log of every register that it served."""
    return state.part("sim") / "truth.jsonl"


def ledger(state: State, port: int) -> Part:
    """The embedded chain."""
    words = ["ledger", "--state", str(state.part("ledger")), "--port", str(port), GAP_FLAG, str(LONGEST_REST_DAYS)]
    return Part("ledger", [SCRIPTS / "peerwatt-hub", *words], announces=True)


def hub_process(name: str, config: Path) -> Part:
    """The API or the worker, from the hub's configuration file."""
    return Part(name, [SCRIPTS / "peerwatt-hub", name, "--config", config], announces=True, layer=1)


def web(config: Path, listener: socket.socket, devices: socket.socket) -> Part:
    """The API on sockets that listen already, so that nobody takes a port in between, not even at a restart."""
    env = {
        "PEERWATT_HUB_WEB_SOCKET_FD": str(listener.fileno()),
        "PEERWATT_HUB_DEVICE_SOCKET_FD": str(devices.fileno()),
    }
    return replace(hub_process("serve", config), env=env, inherited_fds=(listener.fileno(), devices.fileno()))


def agent(name: str, config: Path) -> Part:
    """One gateway's agent."""
    return Part(name, [SCRIPTS / "peerwatt-edge", "run", "--config", config], layer=2)


def write_hub_config(state: State, values: Mapping[str, Any]) -> Path:
    """The hub's TOML file; returns its path."""
    fixed = {
        "state_dir": str(state.folder),
        "site_name": NAME,
        "site_timezone": TIMEZONE,
        "currency": CURRENCY,
        "demo": True,
        "poll_period_s": POLL_PERIOD_S,
        "attest_grace_s": GRACE_S,
        "truth_file": str(truth_file(state)),
    }
    file = state.folder / "hub.toml"
    _write_private(file, _toml({**fixed, **values}))
    return file


def agent_config(state: State, building: Building) -> Path:
    """Where a gateway's TOML file lies."""
    return state.part(building.gateway_id) / "edge.toml"


def write_agent_config(
    state: State, building: Building, served: Mapping[str, Any], settings: Settings, broker: Broker
) -> Path:
    """One gateway's TOML file, from what the simulator says it serves; returns its path."""
    folder = state.part(building.gateway_id)
    password_file = folder / "broker.password"
    _write_private(password_file, broker.password)
    head = {"gateway_id": building.gateway_id, "state_dir": str(folder), "poll_period_s": POLL_PERIOD_S,
            "seal_interval_s": SEAL_INTERVAL_S}  # fmt: skip
    hub = {
        "url": f"https://{settings.device_host}:{settings.device_port}",
        "ca_file": str(settings.nats_ca_file),
        "nats_url": settings.nats_url,
    }
    mqtt = {"url": broker.url, "username": broker.username, "password_file": str(password_file)}
    sections = [_toml(head), "[hub]\n" + _toml(hub)]
    if any(served[m.meter_id]["transport"] == "mqtt" for m in building.meters):
        sections.append("[mqtt]\n" + _toml(mqtt))
    for meter in building.meters:
        facts = {"id": meter.meter_id, **_how_reached(served[meter.meter_id]), "rated_power_w": meter.rated_power_w}
        sections.append("[[meter]]\n" + _toml(facts))
    file = agent_config(state, building)
    _write_private(file, "\n".join(sections))
    return file


def _how_reached(served: Mapping[str, Any]) -> dict[str, Any]:
    if served["transport"] == "mqtt":
        return {"dialect": served["profile"], "topic": served["topic"]}
    if served["transport"] == "rtu":
        url = f"rtu://{served['path']}?device={served['device']}"
    else:
        url = f"{served['transport']}://{served['host']}:{served['port']}?device={served['device']}"
    return {"profile": served["profile"], "url": url}


def _toml(values: Mapping[str, Any]) -> str:
    # strings, integers and booleans look the same in JSON and TOML
    return "".join(f"{key} = {json.dumps(value)}\n" for key, value in values.items())


def _write_private(file: Path, text: str) -> None:
    file.touch(mode=0o600)
    file.write_text(text)
