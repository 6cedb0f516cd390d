"""Translates accounts and arguments, as anchorpy decodes them, into JSON by their IDL types; pure.

Integers stay integers, addresses are base58, arrays of bytes are hex.
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
"""Larger integers lose digits in a browser, so they become text."""
_MAX_ITEMS = 256


def account_kind(program: str, data: bytes) -> str | None:
    """Returns the IDL's name of an account's type by its discriminator, or None."""
    kinds = (str(account["name"]) for account in _idl(program)["accounts"])
    return next((kind for kind in kinds if data[:8] == discriminator(kind)), None)


def account_fields(program: str, kind: str, data: bytes) -> dict[str, JsonValue] | None:
    """Returns the account's fields in the IDL's order, or None when the bytes do not match it."""
    try:
        decoded = decode(program, kind, data)
    except AccountMismatchError:
        return None
    definition = next(account["type"] for account in _idl(program)["accounts"] if account["name"] == kind)
    return _struct(program, definition["fields"], decoded)


def instruction(program: str, data: bytes) -> tuple[str, dict[str, JsonValue], list[str]] | None:
    """Returns name, arguments and the names of the accounts, or None when the IDL has no such instruction."""
    try:
        parsed = programs.coder(program).instruction.parse(data)
    except Exception:  # noqa: BLE001 - construct raises many classes, and the bytes are anybody's
        return None
    definition = next(
        (each for each in _idl(program)["instructions"] if _snake_case(each["name"]) == parsed.name), None
    )
    if definition is None:
        return None
    return parsed.name, _struct(program, definition["args"], parsed.data), _names(definition["accounts"])


def _names(accounts: list[dict[str, Any]]) -> list[str]:
    names: list[str] = []
    for account in accounts:
        names += _names(account["accounts"]) if "accounts" in account else [_snake_case(account["name"])]
    return names


@cache
def _idl(program: str) -> dict[str, Any]:
    path = Path(programs.__file__).with_name("idl") / f"{program}.legacy.json"
    value: dict[str, Any] = json.loads(path.read_text())
    return value


def _snake_case(name: str) -> str:
    return re.sub(r"(?<!^)([A-Z])", r"_\1", name).lower()


def _struct(program: str, fields: list[dict[str, Any]], value: Any) -> dict[str, JsonValue]:
    names = [_snake_case(field["name"]) for field in fields]
    return {name: _value(program, field["type"], _get(value, name)) for name, field in zip(names, fields, strict=True)}


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
    return [_value(program, inner, item) for item in list(value)[:_MAX_ITEMS]]


def _plain(kind: str, value: Any) -> JsonValue:
    if kind == "bytes":
        return bytes(value).hex()
    if isinstance(value, bool):
        return value
    if isinstance(value, int):
        return whole(value)
    return str(value)


def whole(value: int) -> JsonValue:
    """Returns an integer as JSON that browsers read exactly: a number, or text beyond 2^53."""
    return value if abs(value) <= _SAFE_INTEGER else str(value)


def _defined(program: str, name: str, value: Any) -> JsonValue:
    definition = next(each["type"] for each in _idl(program)["types"] if each["name"] == name)
    if definition["kind"] == "struct":
        return _struct(program, definition["fields"], value)
    variant_name = type(value).__name__
    variant = next(each for each in definition["variants"] if each["name"] == variant_name)
    fields = variant.get("fields") or []
    if not fields:
        return variant_name
    if isinstance(fields[0], dict) and "name" in fields[0]:
        return {variant_name: _struct(program, fields, value)}
    items = zip(fields, value.tuple_data, strict=True)
    return {variant_name: [_value(program, kind, item) for kind, item in items]}
