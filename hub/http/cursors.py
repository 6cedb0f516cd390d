"""Keyset cursors: the sort key of a page's last row, opaque to the client, checked when it comes back."""

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
    """The cursor of the list ``kind`` after the row with this key."""
    text = json.dumps([kind, *map(_pack, key)], separators=(",", ":"))
    return base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")


def decode(kind: str, cursor: str, types: Sequence[type]) -> list[Any]:
    """The key inside a cursor of the list ``kind``.

    Raises:
        BadCursorError: it was cut, changed, or comes from another list.
    """
    try:
        found, *packed = json.loads(base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)))
        if found == kind and len(packed) == len(types):
            return [_unpack(value, wanted) for value, wanted in zip(packed, types, strict=True)]
    except (ValueError, TypeError, OverflowError, OSError, binascii.Error):
        pass
    raise BadCursorError("The cursor is not one that this list gave out: start again without `cursor`")


def _pack(value: Key) -> int | str:
    if isinstance(value, bytes):
        return value.hex()
    return to_ms(value) * 1000 + value.microsecond % 1000 if isinstance(value, datetime) else value


def _unpack(value: object, wanted: type) -> Key:
    if wanted is bytes and isinstance(value, str):
        return bytes.fromhex(value)
    if wanted is datetime and type(value) is int:
        moment = at_ms(value // 1000)
        return moment.replace(microsecond=moment.microsecond + value % 1000)
    if wanted is int and type(value) is int and abs(value) < 2**63:
        return value
    if wanted is str and isinstance(value, str):
        return value
    raise ValueError("wrong kind of key")
