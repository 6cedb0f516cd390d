"""The common reading record, read in one go: what passes here is exactly what the wire's own decoder accepts.

Anything out of the ordinary, good or bad, is left to ``edge.wire.records.decode_record``, which is slower and says why.
"""

from typing import Any

import msgpack

from edge.wire.codec import MAX_U63
from edge.wire.kinds import METER_STATES, TIME_QUALITIES
from edge.wire.quantities import ACTIVE_POWER
from hub.ingest.rows import ReadingRow

READING_KIND = 1
LATEST_QUICK_S = 2**33
MAX_QUICK_BYTES = 127
_U16, _U32 = 2**16 - 1, 2**32 - 1
_QUALITIES = {ord(letter): letter for letter in TIME_QUALITIES}
_STATES = {ord(letter): letter for letter in METER_STATES}


def quick_reading(index: int, leaf: bytes, data: bytes) -> ReadingRow | None:
    """The row of an ordinary reading with no quantity but power; None when the full decoder must look."""
    fields = _canonical(data)
    if fields is None:
        return None
    power_w = None
    if len(fields) == 11:
        quantity = fields.pop()
        if not _is_power(quantity):
            return None
        power_w = quantity[1]
    _, meter, sequence, slot_s, offset_ms, quality, state, flags, import_wh, export_wh = fields
    if not all(type(field) is int for field in fields) or not (
        0 <= meter <= _U16 and 0 <= sequence <= MAX_U63 and 0 <= slot_s <= LATEST_QUICK_S and 0 <= offset_ms <= _U32
        and 0 <= flags <= _U16 and 0 <= import_wh <= MAX_U63 and 0 <= export_wh <= MAX_U63
        and quality in _QUALITIES and state in _STATES
    ):  # fmt: skip
        return None
    return ReadingRow(
        leaf, index, meter, sequence, slot_s, slot_s * 1000 + offset_ms, _QUALITIES[quality], _STATES[state], flags,
        import_wh, export_wh, power_w,
    )  # fmt: skip


def _canonical(data: bytes) -> list[Any] | None:
    """The values of an array of ten or eleven that begins with a reading's kind and is in its shortest form."""
    if len(data) > MAX_QUICK_BYTES or data[:2] not in (b"\x9a\x01", b"\x9b\x01"):
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
