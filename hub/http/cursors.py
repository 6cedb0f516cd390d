"""Keyset pagination: a cursor holds the sort key of a page's last row; it is opaque to the client and checked."""

import base64
import binascii
import json
from collections.abc import Sequence
from datetime import datetime
from typing import Any

from hub.clock import at_ms, to_ms
from hub.http.problems import BadCursorError

Key = int | str | bytes | datetime


def encode(kind: str, *key: Key) -> str:
    """Returns the cursor of the list ``kind`` after the row with this sort key."""
    text = json.dumps([kind, *map(_pack, key)], separators=(",", ":"))
    return base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")


def decode(kind: str, cursor: str, types: Sequence[type]) -> list[Any]:
    """Returns the sort key in a cursor of the list ``kind``; ``types`` are those of the key's parts.

    Raises:
        BadCursorError: the cursor was changed or is of another list.
    """
    try:
        cursor_kind, *packed = json.loads(base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)))
        if cursor_kind == kind and len(packed) == len(types):
            return [_unpack(value, part_type) for value, part_type in zip(packed, types, strict=True)]
    except (ValueError, TypeError, OverflowError, OSError, binascii.Error):
        pass
    raise BadCursorError("The cursor is not one that this list gave out: start again without `cursor`")


def _pack(value: Key) -> int | str:
    if isinstance(value, bytes):
        return value.hex()
    return to_ms(value) * 1000 + value.microsecond % 1000 if isinstance(value, datetime) else value


def _unpack(value: object, part_type: type) -> Key:
    if part_type is bytes and isinstance(value, str):
        return bytes.fromhex(value)
    if part_type is datetime and type(value) is int:
        moment = at_ms(value // 1000)
        return moment.replace(microsecond=moment.microsecond + value % 1000)
    if part_type is int and type(value) is int and abs(value) < 2**63:
        return value
    if part_type is str and isinstance(value, str):
        return value
    raise ValueError("wrong kind of key")
