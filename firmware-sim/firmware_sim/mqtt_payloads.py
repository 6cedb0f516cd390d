"""The MQTT dialects, pure: the message that a meter of each family publishes for a snapshot.

Sources: Tasmota's SENSOR and LWT messages (heads SML and ENERGY), Shelly Gen2 JSON-RPC notifications (EM and EMData).
"""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from firmware_sim.meter import Snapshot


@dataclass(frozen=True)
class Dialect:
    """The topics of a family below a prefix, its presence messages, and its payload."""

    topic: Callable[[str], str]
    presence: Callable[[str], str]
    online: str
    offline: str
    payload: Callable[[str, Snapshot], dict[str, Any]]
    carries_export: bool = True

    def message(self, prefix: str, snapshot: Snapshot) -> str:
        """Encodes a publication as JSON."""
        return json.dumps(self.payload(prefix, snapshot), separators=(",", ":"))


def _tasmota_time(at_s: int) -> str:
    # Tasmota writes its local time without a zone; these devices are set to UTC
    return datetime.fromtimestamp(at_s, UTC).strftime("%Y-%m-%dT%H:%M:%S")


def _sml(_prefix: str, snapshot: Snapshot) -> dict[str, Any]:
    # Three decimals of a kWh: dividing a whole number of Wh by 1000 prints as exactly that
    return {
        "Time": _tasmota_time(snapshot.at_s),
        "SML": {
            "Total_in": snapshot.import_wh / 1000,
            "Total_out": snapshot.export_wh / 1000,
            "Power_curr": snapshot.power_w,
            "Meter_number": str(snapshot.values["serial"]),
        },
    }


def _energy(_prefix: str, snapshot: Snapshot) -> dict[str, Any]:
    values = snapshot.values
    return {
        "Time": _tasmota_time(snapshot.at_s),
        "ENERGY": {
            "TotalStartTime": "2025-01-01T00:00:00",
            "Total": snapshot.import_wh / 1000,
            "Power": snapshot.power_w,
            "ApparentPower": values["apparent_va"],
            "ReactivePower": values["reactive_var"],
            "Factor": values["power_factor_permille"] / 1000,
            "Voltage": values["voltage_l1_mv"] // 1000,
            "Current": values["current_ma"] / 1000,
        },
    }


def _shelly(prefix: str, snapshot: Snapshot) -> dict[str, Any]:
    values = snapshot.values
    phases: dict[str, Any] = {}
    for number, letter in enumerate("abc", start=1):
        phases[f"{letter}_act_power"] = values[f"power_l{number}_w"]
        phases[f"{letter}_voltage"] = values[f"voltage_l{number}_mv"] / 1000
        phases[f"{letter}_current"] = values[f"current_l{number}_ma"] / 1000
        phases[f"{letter}_pf"] = values["power_factor_permille"] / 1000
        phases[f"{letter}_freq"] = values["frequency_millihz"] / 1000
    return {
        "src": prefix,
        "dst": f"{prefix}/events",
        "method": "NotifyStatus",
        "params": {
            "ts": float(snapshot.at_s),
            "em:0": {"id": 0, **phases, "total_act_power": snapshot.power_w},
            "emdata:0": {
                "id": 0,
                "total_act": float(snapshot.import_wh),
                "total_act_ret": float(snapshot.export_wh),
            },
        },
    }


def _tasmota(payload: Callable[[str, Snapshot], dict[str, Any]], *, carries_export: bool) -> Dialect:
    return Dialect(
        topic=lambda prefix: f"tele/{prefix}/SENSOR",
        presence=lambda prefix: f"tele/{prefix}/LWT",
        online="Online",
        offline="Offline",
        payload=payload,
        carries_export=carries_export,
    )


DIALECTS: Mapping[str, Dialect] = {
    "tasmota-sml": _tasmota(_sml, carries_export=True),
    "tasmota-energy": _tasmota(_energy, carries_export=False),
    "shelly-gen2": Dialect(
        topic=lambda prefix: f"{prefix}/events/rpc",
        presence=lambda prefix: f"{prefix}/online",
        online="true",
        offline="false",
        payload=_shelly,
    ),
}
