"""The MQTT dialects, pure: the message that a meter of each family publishes for a snapshot.

Sources: Tasmota's SENSOR and LWT messages (heads SML and ENERGY), Shelly Gen2 JSON-RPC notifications (EM and EMData).
"""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from firmware_sim.meter import Snapshot
from firmware_sim.scenario.answering import Answer


@dataclass(frozen=True)
class Dialect:
    """The topics of a family below a prefix, its presence messages, and its payload."""

    topic: Callable[[str], str]
    presence: Callable[[str], str]
    online: str
    offline: str
    payload: Callable[[str, Snapshot], dict[str, Any]]
    places: Mapping[str, tuple[str, ...]]
    """Where a payload has the values of a snapshot, by their keys; some are in none."""
    carries_export: bool = True

    def message(self, prefix: str, snapshot: Snapshot) -> str:
        """Encodes a publication of a sound device as JSON."""
        return _encoded(self.payload(prefix, snapshot))

    def messages(self, prefix: str, answer: Answer) -> list[str]:
        """Encodes what a device publishes with the faults that it has: its message, or several parts of it."""
        snapshot = answer.snapshot
        payload = self.payload(prefix, snapshot)
        if answer.export_active and "ENERGY" in payload:
            payload["ENERGY"]["ExportActive"] = [snapshot.export_wh / 1000, 0.0, 0.0]
        for key, shown_as in snapshot.odd.items():
            if (place := self.places.get(key)) is not None:
                _show_oddly(payload, place, shown_as)
        if answer.head is not None:
            payload = {answer.head if name in {"SML", "ENERGY"} else name: part for name, part in payload.items()}
        if answer.split and "params" in payload:
            params = payload["params"]
            return [
                _encoded({**payload, "params": {"ts": params["ts"], part: params[part]}})
                for part in params
                if part != "ts"
            ]
        return [_encoded(payload)]


_encoded = json.JSONEncoder(separators=(",", ":")).encode


def _show_oddly(payload: dict[str, Any], place: tuple[str, ...], shown_as: str) -> None:
    """Puts something that is no number in the place of one."""
    *path, name = place
    for part in path:
        payload = payload[part]
    odd = {"nan": float("nan"), "null": None, "text": "n/a", "array": [payload[name], 0, 0]}
    if shown_as == "missing":
        del payload[name]
    else:
        payload[name] = odd[shown_as]


def _tasmota_time(at_s: int) -> str:
    # Tasmota writes its local time without a zone; these devices are set to UTC
    return datetime.fromtimestamp(at_s, UTC).strftime("%Y-%m-%dT%H:%M:%S")


def _sml(_prefix: str, snapshot: Snapshot) -> dict[str, Any]:
    # Three decimals of a kWh: dividing a whole number of Wh by 1000 prints as exactly that
    return {
        "Time": _tasmota_time(snapshot.clock_s),
        "SML": {
            "Total_in": snapshot.import_wh / 1000,
            "Total_out": snapshot.export_wh / 1000,
            "Power_curr": snapshot.power_w,
            "Meter_number": str(snapshot.values["serial"] or ""),
        },
    }


def _energy(_prefix: str, snapshot: Snapshot) -> dict[str, Any]:
    values = snapshot.values
    return {
        "Time": _tasmota_time(snapshot.clock_s),
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
            "ts": float(snapshot.clock_s),
            "em:0": {"id": 0, **phases, "total_act_power": snapshot.power_w},
            "emdata:0": {
                "id": 0,
                "total_act": float(snapshot.import_wh),
                "total_act_ret": float(snapshot.export_wh),
            },
        },
    }


SML_PLACES: Mapping[str, tuple[str, ...]] = {
    "import_wh": ("SML", "Total_in"),
    "export_wh": ("SML", "Total_out"),
    "power_w": ("SML", "Power_curr"),
    "serial": ("SML", "Meter_number"),
}
ENERGY_PLACES: Mapping[str, tuple[str, ...]] = {
    "import_wh": ("ENERGY", "Total"),
    "power_w": ("ENERGY", "Power"),
    "apparent_va": ("ENERGY", "ApparentPower"),
    "reactive_var": ("ENERGY", "ReactivePower"),
    "power_factor_permille": ("ENERGY", "Factor"),
    "voltage_l1_mv": ("ENERGY", "Voltage"),
    "current_ma": ("ENERGY", "Current"),
}
SHELLY_PLACES: Mapping[str, tuple[str, ...]] = {
    "import_wh": ("params", "emdata:0", "total_act"),
    "export_wh": ("params", "emdata:0", "total_act_ret"),
    "power_w": ("params", "em:0", "total_act_power"),
    **{
        f"{quantity}_l{number}_{unit}": ("params", "em:0", f"{letter}_{name}")
        for number, letter in enumerate("abc", start=1)
        for quantity, unit, name in (
            ("power", "w", "act_power"),
            ("voltage", "mv", "voltage"),
            ("current", "ma", "current"),
        )
    },
    "power_factor_permille": ("params", "em:0", "a_pf"),
    "frequency_millihz": ("params", "em:0", "a_freq"),
}


def _tasmota(
    payload: Callable[[str, Snapshot], dict[str, Any]], places: Mapping[str, tuple[str, ...]], *, carries_export: bool
) -> Dialect:
    return Dialect(
        topic=lambda prefix: f"tele/{prefix}/SENSOR",
        presence=lambda prefix: f"tele/{prefix}/LWT",
        online="Online",
        offline="Offline",
        payload=payload,
        places=places,
        carries_export=carries_export,
    )


DIALECTS: Mapping[str, Dialect] = {
    "tasmota-sml": _tasmota(_sml, SML_PLACES, carries_export=True),
    "tasmota-energy": _tasmota(_energy, ENERGY_PLACES, carries_export=False),
    "shelly-gen2": Dialect(
        topic=lambda prefix: f"{prefix}/events/rpc",
        presence=lambda prefix: f"{prefix}/online",
        online="true",
        offline="false",
        payload=_shelly,
        places=SHELLY_PLACES,
    ),
}
