"""Pure translation of decoded accounts and arguments into JSON, by the types that the IDL gives them.

Comes from anchorpy's coders; goes to ``service``. Integers stay integers, addresses are base58, runs of bytes are hex.
"""

import json
import re
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

from pydantic import JsonValue

from hub.chain import programs
from hub.chain.accounts import AccountMismatchError, decode, discriminator

_SAFE_INTEGER = 2**53 - 1
"""Larger ones lose digits in a browser: they are told as text."""
_MAX_ITEMS = 256


def account_kind(program: str, data: bytes) -> str | None:
    """The IDL's name of the account that begins with these bytes."""
    kinds = (str(one["name"]) for one in _idl(program)["accounts"])
    return next((kind for kind in kinds if data[:8] == discriminator(kind)), None)


def account_fields(program: str, kind: str, data: bytes) -> dict[str, JsonValue] | None:
    """The account's fields in the IDL's order, or None when the bytes do not follow it."""
    try:
        decoded = decode(program, kind, data)
    except AccountMismatchError:
        return None
    shape = next(one["type"] for one in _idl(program)["accounts"] if one["name"] == kind)
    return _struct(program, shape["fields"], decoded)


def instruction(program: str, data: bytes) -> tuple[str, dict[str, JsonValue], list[str]] | None:
    """Name, arguments and the names of the accounts; None when the IDL has no such instruction."""
    try:
        parsed = programs.coder(program).instruction.parse(data)
    except Exception:  # noqa: BLE001 - construct raises many kinds, and anybody may send any bytes
        return None
    found = next((one for one in _idl(program)["instructions"] if _snake(one["name"]) == parsed.name), None)
    if found is None:
        return None
    return parsed.name, _struct(program, found["args"], parsed.data), _names(found["accounts"])


def _names(accounts: list[dict[str, Any]]) -> list[str]:
    return [
        name for one in accounts for name in (_names(one["accounts"]) if "accounts" in one else [_snake(one["name"])])
    ]


@cache
def _idl(program: str) -> dict[str, Any]:
    path = Path(programs.__file__).with_name("idl") / f"{program}.legacy.json"
    value: dict[str, Any] = json.loads(path.read_text())
    return value


def _snake(name: str) -> str:
    return re.sub(r"(?<!^)([A-Z])", r"_\1", name).lower()


def _struct(program: str, fields: list[dict[str, Any]], value: Any) -> dict[str, JsonValue]:
    names = [_snake(one["name"]) for one in fields]
    return {name: _value(program, one["type"], _get(value, name)) for name, one in zip(names, fields, strict=True)}


def _get(value: Any, name: str) -> Any:
    return value[name] if isinstance(value, Mapping) else getattr(value, name)


def _value(program: str, kind: Any, value: Any) -> JsonValue:
    if isinstance(kind, str):
        return _plain(kind, value)
    if "option" in kind:
        return None if value is None else _value(program, kind["option"], value)
    if "defined" in kind:
        return _defined(program, kind["defined"], value)
    inner = kind["vec"] if "vec" in kind else kind["array"][0]
    if inner == "u8":
        return bytes(value).hex()
    return [_value(program, inner, one) for one in list(value)[:_MAX_ITEMS]]


def _plain(kind: str, value: Any) -> JsonValue:
    if kind == "bytes":
        return bytes(value).hex()
    if isinstance(value, bool):
        return value
    if isinstance(value, int):
        return whole(value)
    return str(value)


def whole(value: int) -> JsonValue:
    """An integer as JSON that every reader gets exactly."""
    return value if abs(value) <= _SAFE_INTEGER else str(value)


def _defined(program: str, name: str, value: Any) -> JsonValue:
    shape = next(one["type"] for one in _idl(program)["types"] if one["name"] == name)
    if shape["kind"] == "struct":
        return _struct(program, shape["fields"], value)
    chosen = type(value).__name__
    variant = next(one for one in shape["variants"] if one["name"] == chosen)
    fields = variant.get("fields") or []
    if not fields:
        return chosen
    if isinstance(fields[0], dict) and "name" in fields[0]:
        return {chosen: _struct(program, fields, value)}
    return {chosen: [_value(program, kind, part) for kind, part in zip(fields, value.tuple_data, strict=True)]}
