"""Parses what MQTT meters publish, pure: the payload of a dialect becomes registers and the meter's own time.

Sources: Tasmota's SENSOR messages (heads SML and ENERGY), Shelly Gen2 JSON-RPC notifications (EM and EMData).
"""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from fractions import Fraction
from hashlib import sha256
from typing import Any, TypedDict

from edge.errors import ImplausibleError, NettingError
from edge.meters.decode import half_up
from edge.wire.quantities import ACTIVE_POWER

MAX_PAYLOAD_BYTES = 16 * 1024
MIN_EXPONENT = -30
"""Finer decimals say nothing about energy, and as a fraction they may have millions of digits."""
_WH_PER_KWH = 1000


@dataclass(frozen=True, slots=True)
class Measurement:
    """Registers and quantities of one message; ``at_ms`` is the meter's own time, None when it gave none."""

    at_ms: int | None
    import_wh: int
    export_wh: int
    quantities: tuple[tuple[int, int, int], ...] = ()
    serial: str = ""
    left_out: tuple[str, ...] = ()
    """Values beside the energy that can not be used, with the reason."""
    gave_time: bool = False
    """Whether the message has a time of its own, even one that can not be read."""


def parse(dialect: str, payload: bytes) -> Measurement | None:
    """Parses one message; None for a message of this dialect that carries no energy registers.

    Raises:
        ImplausibleError: it is no message of this dialect, is too long, or has a value out of range.
        NettingError: its energy register runs backwards while the meter exports.
    """
    if len(payload) > MAX_PAYLOAD_BYTES:
        raise ImplausibleError(f"the message has {len(payload)} bytes")
    try:
        message = json.loads(payload, parse_float=Decimal)
        if not isinstance(message, dict):
            raise ImplausibleError("the message is no JSON object")
        return _DIALECTS[dialect](message)
    except (ValueError, ArithmeticError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise ImplausibleError(f"this is no {dialect} message ({type(error).__name__}: {error})") from error


def dialect_hash(dialect: str) -> bytes:
    """Returns what a ``meter`` record carries in place of a profile's SHA-256."""
    return sha256(f"peerwatt/dialect/1/{dialect}".encode()).digest()


def _sml(message: Mapping[str, Any]) -> Measurement | None:
    head = message.get("SML")
    if head is None:
        return None
    return Measurement(
        _local_time(message.get("Time")),
        _energy_wh(head["Total_in"], _WH_PER_KWH),
        _energy_wh(head.get("Total_out", 0), _WH_PER_KWH),
        gave_time="Time" in message,
        serial=_serial(head.get("Meter_number")),
        **_power(head, "Power_curr"),
    )


def _energy_head(message: Mapping[str, Any]) -> Measurement | None:
    head = message.get("ENERGY")
    if head is None:
        return None
    import_wh, export_wh = _directions(head)
    return Measurement(
        _local_time(message.get("Time")),
        half_up(import_wh),
        half_up(export_wh),
        gave_time="Time" in message,
        **_power(head, "Power"),
    )


def _directions(head: Mapping[str, Any]) -> tuple[Fraction, Fraction]:
    """Takes import and export apart, in Wh: ``Total`` may net them, and then runs backwards while the device exports.

    Raises:
        NettingError: it has exported, and does not say what it has imported.
    """
    export_wh = _sum_wh(head.get("ExportActive", 0))
    if "ImportActive" in head:
        return _sum_wh(head["ImportActive"]), export_wh
    if export_wh > 0:
        raise NettingError(
            "it has exported (ExportActive), its Total nets that, and it tells no ImportActive: read another register"
        )
    return _sum_wh(head["Total"]), export_wh


def _sum_wh(value: object) -> Fraction:
    """Adds up what a register shows; an array (SetOption129) is what each phase or channel has counted, in kWh."""
    parts = value if isinstance(value, list) else [value]
    if not parts:
        raise ImplausibleError("an energy register is empty")
    return sum((_energy(part, _WH_PER_KWH) for part in parts), Fraction(0))


def _shelly(message: Mapping[str, Any]) -> Measurement | None:
    """A NotifyStatus carries what has changed: one without ``emdata:0`` says nothing about energy."""
    params = message.get("params")
    if message.get("method") not in ("NotifyStatus", "NotifyFullStatus") or not params or "emdata:0" not in params:
        return None
    data, time_s = params["emdata:0"], params.get("ts")
    return Measurement(
        _unix_time(time_s),
        _energy_wh(data["total_act"], 1),
        _energy_wh(data["total_act_ret"], 1),
        gave_time=time_s is not None,
        serial=_serial(message.get("src")),
        **_power(params.get("em:0"), "total_act_power"),
    )


_DIALECTS: Mapping[str, Callable[[Mapping[str, Any]], Measurement | None]] = {
    "tasmota-sml": _sml,
    "tasmota-energy": _energy_head,
    "shelly-gen2": _shelly,
}


def _number(value: object) -> Fraction:
    if isinstance(value, bool) or not isinstance(value, int | Decimal | str):
        raise ImplausibleError(f"{value!r} is no number")
    number = Decimal(value)
    exponent = number.as_tuple().exponent
    if not isinstance(exponent, int) or exponent < MIN_EXPONENT or abs(number) > 10**15:
        raise ImplausibleError(f"{value!r} is out of range")
    return Fraction(number)


def _energy(value: object, factor: int) -> Fraction:
    energy_wh = _number(value) * factor
    if half_up(energy_wh) < 0:
        raise ImplausibleError(f"the energy register is {value}")
    return energy_wh


def _energy_wh(value: object, factor: int) -> int:
    return half_up(_energy(value, factor))


class _Power(TypedDict, total=False):
    """What power adds to a ``Measurement``."""

    quantities: tuple[tuple[int, int, int], ...]
    left_out: tuple[str, ...]


def _power(head: object, name: str) -> _Power:
    """Takes the active power out of a part of the message, which may be missing; what is no number is left out.

    So are arrays: what a device means with them, phases or channels, differs from model to model.
    """
    if not isinstance(head, Mapping) or name not in head:
        return {}
    value = head[name]
    try:
        return {"quantities": ((ACTIVE_POWER, half_up(_number(value)), 0),)}
    except (ImplausibleError, ArithmeticError, ValueError):
        return {"left_out": (f"{name} is {str(value)[:40]}",)}


def _serial(value: object) -> str:
    """Makes ASCII of a serial number, as records want it, with ``?`` for any other letter."""
    text = "" if value is None else str(value)[:32]
    return "".join(letter if 0x20 <= ord(letter) < 0x7F else "?" for letter in text)


def _local_time(value: object) -> int | None:
    """Reads a time in ms since 1970, None where it is no time.

    Tasmota writes its local time without a zone, and these devices are set to UTC.
    """
    if not isinstance(value, str):
        return None
    try:
        moment = datetime.fromisoformat(value)
        return round((moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp() * 1000)
    except (ValueError, OverflowError):
        return None


def _unix_time(value: object) -> int | None:
    """Reads a time in ms since 1970, given in s."""
    try:
        return half_up(_number(value) * 1000)
    except (ImplausibleError, ArithmeticError, ValueError):
        return None
