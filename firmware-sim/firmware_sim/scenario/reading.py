"""What a reader of the configured kind of meter gets, pure: an answer's registers or payload become readings."""

import json
import struct
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from firmware_sim.meter import SERIAL_CHARACTERS
from firmware_sim.modbus_responder import answered_block
from firmware_sim.mqtt_payloads import DIALECTS, Dialect
from firmware_sim.register_maps import MAPS
from firmware_sim.registers import Field, RegisterMap, nearest
from firmware_sim.scenario.answering import Answer
from firmware_sim.settings import Meter

Reading = dict[str, Any]
Reader = Callable[[Answer], Iterator[Reading]]
MAX_VALUE = 1 << 63
"""No reader has more room for a number; what is larger is none."""
NAMES: Mapping[str, str] = {"import_wh": "import_wh", "export_wh": "export_wh", "power_w": "active_power_w"}
"""The values of a reading, by the keys of a snapshot; None where the meter has no such value or shows no number."""


def reader_of(meter: Meter) -> Reader:
    """Returns how this meter is read as configured: an answer becomes one reading, of MQTT one for each message."""
    if meter.transport == "mqtt":
        dialect, prefix = DIALECTS[meter.profile], meter.topic or meter.id
        return lambda answer: _messages(dialect, prefix, answer)
    register_map = MAPS[meter.profile]
    # The first of two places of a value counts, so the last in this order
    tables = reversed(register_map.tables)
    fields = {field.quantity: (min(table.functions), field) for table in tables for field in table.fields}
    wanted = _Wanted(register_map, {key: fields[key] for key in (*NAMES, *SERIALS) if key in fields}, meter.device)
    return lambda answer: iter([_registers(wanted, answer)])


SERIALS = ("serial", *(f"serial_character_{i}" for i in range(SERIAL_CHARACTERS)))


@dataclass(frozen=True)
class _Wanted:
    """The values that are asked for of a map, each with its function code and place, at a unit id."""

    register_map: RegisterMap
    fields: Mapping[str, tuple[int, Field]]
    unit: int


def _registers(wanted: _Wanted, answer: Answer) -> Reading:
    failed = _failure(wanted, answer)
    if failed is not None:
        return {"answer": failed}
    values = {key: _value(wanted, key, answer) for key in wanted.fields}
    characters = [values.get(key) or 0 for key in SERIALS[1:]]
    serial = values.get("serial") or "".join(chr(code) for code in characters if 0x20 < code < 0x7F)
    return {"answer": "ok", **{name: values.get(key) for key, name in NAMES.items()}, "serial": str(serial)}


def _failure(wanted: _Wanted, answer: Answer) -> str | None:
    """Says why there is no reading: the meter is silent, or what it says can not be taken for its registers."""
    if answer.silent:
        return "silent"
    if answer.spoiled:
        return min(answer.spoiled)
    if answer.unit is not None and answer.unit != wanted.unit:
        return "wrong_unit"
    if not answer.refused and answer.profile is None:
        return None
    function, field = wanted.fields["import_wh"]
    block = answered_block(wanted.register_map, answer, function, field.address, field.words)
    return f"exception {block}" if isinstance(block, int) else None


def _value(wanted: _Wanted, key: str, answer: Answer) -> int | None:
    """Returns one value in its base unit, asked for by itself."""
    if key in answer.snapshot.odd:
        return None
    function, field = wanted.fields[key]
    if not answer.refused and answer.profile is None and not answer.swapped_words:
        return field.coded(answer.snapshot.values[key])
    block = answered_block(wanted.register_map, answer, function, field.address, field.words)
    if isinstance(block, int):
        return None
    words = reversed(block.words) if wanted.register_map.low_word_first else block.words
    try:
        value = nearest(field.exact(struct.pack(f">{field.words}H", *words)))
    except (ValueError, OverflowError):  # not a number, or infinite
        return None
    return value if abs(value) < MAX_VALUE else None


def _messages(dialect: Dialect, prefix: str, answer: Answer) -> Iterator[Reading]:
    if answer.silent:
        yield {"answer": "silent"}
        return
    for text in dialect.messages(prefix, answer):
        payload = json.loads(text)
        yield {
            "answer": "ok",
            **{name: _number(payload, dialect.places.get(key), key) for key, name in NAMES.items()},
            "serial": str(_at(payload, dialect.places.get("serial")) or ""),
            "payload_ms": answer.snapshot.clock_s * 1000,
            "payload": text,
        }


def _number(payload: object, place: tuple[str, ...] | None, key: str) -> int | None:
    value = _at(payload, place)
    if isinstance(value, bool) or not isinstance(value, int | float) or value != value:  # noqa: PLR0124 - NaN
        return None
    in_kwh = key != "power_w" and place is not None and place[0] in {"SML", "ENERGY"}
    return round(value * 1000) if in_kwh else round(value)


def _at(payload: object, place: tuple[str, ...] | None) -> object:
    for part in place or ():
        payload = payload.get(part) if isinstance(payload, dict) else None
    return None if place is None else payload
