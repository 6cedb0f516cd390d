"""Commands and configuration files of the demo's processes: simulator, ledger, API, worker, three agents."""

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
MAX_CLOCK_GAP_DAYS = 3650
"""A demo may be started again after years, without a flag for the ledger's clock."""


@dataclass(frozen=True)
class Broker:
    """A building's MQTT broker and its login."""

    port: int
    username: str
    password: str

    @property
    def url(self) -> str:
        return f"mqtt://127.0.0.1:{self.port}"


def simulator(state: State, broker: Broker, sun_offset_s: int, scenario: str | None) -> Part:
    """Returns the simulator of the meters, whose registers and log of served values are in the state folder.

    ``scenario`` is the name or file of the faults that they have; None: none.
    """
    folder = state.part("sim")
    command: list[str | Path] = [
        SCRIPTS / "peerwatt-sim", "run", "--truth", truth_file(state), "--state", folder / "registers.json",
        "--cache-dir", folder / "cache", "--run-dir", folder, "--mqtt-url", broker.url, "--json",
        f"--sun-offset-s={sun_offset_s}", *(("--scenario", scenario) if scenario else ()),
    ]  # fmt: skip
    env = {
        "PEERWATT_SIM_MQTT__USERNAME": broker.username,
        "PEERWATT_SIM_MQTT__PASSWORD": broker.password,
        "PEERWATT_SIM_MQTT__PERIOD_S": str(POLL_PERIOD_S),
    }
    return Part("simulator", command, env, announces=True)


async def describe_site() -> dict[str, Any]:
    """Returns what `peerwatt-sim site` prints: meters with serial numbers and ratings, the offset of a June morning."""
    output = await run_once([str(SCRIPTS / "peerwatt-sim"), "site", "--sun-offset", "--json"])
    return dict(json.loads(output))


def truth_file(state: State) -> Path:
    """Returns the path of the simulator's log of served registers."""
    return state.part("sim") / "truth.jsonl"


def ledger(state: State, port: int) -> Part:
    """Returns the embedded ledger."""
    arguments = ["ledger", "--state", str(state.part("ledger")), "--port", str(port), GAP_FLAG, str(MAX_CLOCK_GAP_DAYS)]
    return Part("ledger", [SCRIPTS / "peerwatt-hub", *arguments], announces=True)


def hub_process(name: str, config: Path) -> Part:
    """Returns the API or the worker, with the hub's configuration file."""
    return Part(name, [SCRIPTS / "peerwatt-hub", name, "--config", config], announces=True, layer=1)


def web(config: Path, listener: socket.socket, devices: socket.socket) -> Part:
    """Returns the API on sockets that already listen, so that no other process takes their ports at a restart."""
    env = {
        "PEERWATT_HUB_WEB_SOCKET_FD": str(listener.fileno()),
        "PEERWATT_HUB_DEVICE_SOCKET_FD": str(devices.fileno()),
    }
    return replace(hub_process("serve", config), env=env, inherited_fds=(listener.fileno(), devices.fileno()))


def agent(name: str, config: Path) -> Part:
    """Returns the agent of one gateway."""
    return Part(name, [SCRIPTS / "peerwatt-edge", "run", "--config", config], layer=2)


def write_hub_config(state: State, values: Mapping[str, Any]) -> Path:
    """Writes the hub's TOML file and returns its path."""
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
    """Returns the path of a gateway's TOML file."""
    return state.part(building.gateway_id) / "edge.toml"


def write_agent_config(
    state: State, building: Building, served: Mapping[str, Any], settings: Settings, broker: Broker
) -> Path:
    """Writes a gateway's TOML file and returns its path; ``served`` are the simulator's meters by id."""
    folder = state.part(building.gateway_id)
    password_file = folder / "broker.password"
    _write_private(password_file, broker.password)
    gateway_settings = {"gateway_id": building.gateway_id, "state_dir": str(folder), "poll_period_s": POLL_PERIOD_S,
            "seal_interval_s": SEAL_INTERVAL_S, "interval_s": settings.interval_s}  # fmt: skip
    hub = {
        "url": f"https://{settings.device_host}:{settings.device_port}",
        "ca_file": str(settings.nats_ca_file),
        "nats_url": settings.nats_url,
    }
    mqtt = {"url": broker.url, "username": broker.username, "password_file": str(password_file)}
    sections = [_toml(gateway_settings), "[hub]\n" + _toml(hub)]
    if any(served[meter.meter_id]["transport"] == "mqtt" for meter in building.meters):
        sections.append("[mqtt]\n" + _toml(mqtt))
    for meter in building.meters:
        meter_settings = {
            "id": meter.meter_id,
            **_connection_settings(served[meter.meter_id]),
            "rated_power_w": meter.rated_power_w,
        }
        sections.append("[[meter]]\n" + _toml(meter_settings))
    file = agent_config(state, building)
    _write_private(file, "\n".join(sections))
    return file


def _connection_settings(served: Mapping[str, Any]) -> dict[str, Any]:
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
