"""What MQTT meters publish, pure: topic payloads of each dialect become registers and the meter's own time."""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from fractions import Fraction
from hashlib import sha256
from typing import Any

from edge.errors import ImplausibleError
from edge.meters.decode import half_up
from edge.wire.quantities import ACTIVE_POWER

MAX_PAYLOAD_BYTES = 16 * 1024
LEAST_EXPONENT = -30
"""Finer decimals say nothing about energy, and as a fraction they may have millions of digits."""
_KILO = 1000


@dataclass(frozen=True, slots=True)
class Measurement:
    """``at_ms`` is the meter's own time, None when it gave none."""

    at_ms: int | None
    import_wh: int
    export_wh: int
    quantities: tuple[tuple[int, int, int], ...] = ()
    serial: str = ""


def parse(dialect: str, payload: bytes) -> Measurement | None:
    """Reads one message; None when it is one of the meter's messages without energy registers.

    Raises:
        ImplausibleError: it is no message of this dialect; the text says why.
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
    """What a meter record carries in place of a profile's hash."""
    return sha256(f"peerwatt/dialect/1/{dialect}".encode()).digest()


def _sml(message: Mapping[str, Any]) -> Measurement | None:
    head = message.get("SML")
    if head is None:
        return None
    return Measurement(
        _local_time(message.get("Time")),
        _energy(head["Total_in"], _KILO),
        _energy(head.get("Total_out", 0), _KILO),
        _power(head.get("Power_curr")),
        _serial(head.get("Meter_number")),
    )


def _energy_head(message: Mapping[str, Any]) -> Measurement | None:
    head = message.get("ENERGY")
    if head is None:
        return None
    return Measurement(_local_time(message.get("Time")), _energy(head["Total"], _KILO), 0, _power(head.get("Power")))


def _shelly(message: Mapping[str, Any]) -> Measurement | None:
    """NotifyStatus is a delta: one without ``emdata:0`` says nothing about energy."""
    params = message.get("params")
    if message.get("method") not in ("NotifyStatus", "NotifyFullStatus") or not params or "emdata:0" not in params:
        return None
    data, stamp = params["emdata:0"], params.get("ts")
    return Measurement(
        None if stamp is None else half_up(_number(stamp) * 1000),
        _energy(data["total_act"], 1),
        _energy(data["total_act_ret"], 1),
        _power((params.get("em:0") or {}).get("total_act_power")),
        _serial(message.get("src")),
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
    if not isinstance(exponent, int) or exponent < LEAST_EXPONENT or abs(number) > 10**15:
        raise ImplausibleError(f"{value!r} is out of range")
    return Fraction(number)


def _energy(value: object, factor: int) -> int:
    energy = half_up(_number(value) * factor)
    if energy < 0:
        raise ImplausibleError(f"the energy register is {value}")
    return energy


def _power(value: object) -> tuple[tuple[int, int, int], ...]:
    return () if value is None else ((ACTIVE_POWER, half_up(_number(value)), 0),)


def _serial(value: object) -> str:
    """A meter is free to name itself in any letters; records are ASCII."""
    text = "" if value is None else str(value)[:32]
    return "".join(letter if 0x20 <= ord(letter) < 0x7F else "?" for letter in text)


def _local_time(value: object) -> int | None:
    """Tasmota writes its local time without a zone: these devices are set to UTC."""
    if not isinstance(value, str):
        return None
    moment = datetime.fromisoformat(value)
    return round((moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp() * 1000)
