"""Decodes the usual reading record at once: ten fields and at most the power. The hub spends most of its time here.

It accepts nothing that ``records.decode_record`` refuses. What it leaves to that decoder, which is slower and says why,
may be right or wrong.
"""

from typing import Any, TypeAlias

import msgpack

from edge.wire.codec import MAX_U63
from edge.wire.kinds import METER_STATES, TIME_QUALITIES
from edge.wire.quantities import ACTIVE_POWER

MAX_FAST_BYTES = 127
LATEST_FAST_S = 2**33
"""The year 2242: later slots are left to the full decoder, which the hub asks about the limits of its database."""
_READING_HEADS = (b"\x9a\x01", b"\x9b\x01")
"""An array of ten or eleven values that begins with a reading's kind."""
_ONLY_INTEGERS = {int}
_U16, _U32 = 2**16 - 1, 2**32 - 1
_QUALITIES = {ord(letter): letter for letter in TIME_QUALITIES}
_STATES = {ord(letter): letter for letter in METER_STATES}


FastReading: TypeAlias = tuple[int, int, int, int, str, str, int, int, int, int | None]
"""The fields of ``kinds.Reading`` in order up to ``export_wh``, then the active power in W, None when there is none.

A plain tuple, because a class would cost the hub a tenth of its time here.
"""


def decode_fast_reading(data: bytes) -> FastReading | None:
    """Decodes a record when it is a usual reading; None when ``records.decode_record`` must look at it."""
    fields = _canonical_fields(data)
    if fields is None:
        return None
    power_w = None
    if len(fields) == 11:
        quantity = fields.pop()
        if not _is_power(quantity):
            return None
        power_w = quantity[1]
    _, meter_index, sequence, slot_s, offset_ms, quality, state, flags, import_wh, export_wh = fields
    if set(map(type, fields)) != _ONLY_INTEGERS or not (
        0 <= meter_index <= _U16 and 0 <= sequence <= MAX_U63 and 0 <= slot_s <= LATEST_FAST_S
        and 0 <= offset_ms <= _U32 and 0 <= flags <= _U16 and 0 <= import_wh <= MAX_U63 and 0 <= export_wh <= MAX_U63
        and quality in _QUALITIES and state in _STATES
    ):  # fmt: skip
        return None
    return (
        meter_index, sequence, slot_s, offset_ms, _QUALITIES[quality], _STATES[state], flags, import_wh, export_wh,
        power_w,
    )  # fmt: skip


def _canonical_fields(data: bytes) -> list[Any] | None:
    """The values of a reading's array, when it is in msgpack's shortest form."""
    if len(data) > MAX_FAST_BYTES or data[:2] not in _READING_HEADS:
        return None
    try:
        fields: list[Any] = msgpack.unpackb(data, raw=True)
    except (ValueError, TypeError, RecursionError, msgpack.UnpackException):
        return None
    return fields if msgpack.packb(fields) == data else None


def _is_power(quantity: Any) -> bool:
    if type(quantity) is not list or len(quantity) != 3:
        return False
    code, power_w, scale = quantity
    if not type(code) is type(power_w) is type(scale) is int:
        return False
    return code == ACTIVE_POWER and scale == 0 and -MAX_U63 <= power_w <= MAX_U63
