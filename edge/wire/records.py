"""Encodes and decodes records strictly: arrays that begin with the number of their kind. ``kinds`` has their fields."""

from collections.abc import Callable

from edge.wire import codec
from edge.wire.codec import Value, array, integer, octets, text
from edge.wire.errors import OutOfRangeError, TooLongError, UnknownKindError
from edge.wire.kinds import (
    COUNTER_EVENTS,
    COUNTER_EVENTS_1,
    METER_STATES,
    TIME_QUALITIES,
    BufferQuarantine,
    ClockStep,
    ConfigChange,
    CounterEvent,
    CounterEvent1,
    Gap,
    KeyRotation,
    MeterDeclared,
    Reading,
    Record,
    Start,
    Stop,
)

__all__ = [
    "MAX_QUANTITIES", "MAX_RECORD_BYTES", "BufferQuarantine", "ClockStep", "ConfigChange", "CounterEvent",
    "CounterEvent1", "Gap", "KeyRotation", "MeterDeclared", "Reading", "Record", "Start", "Stop", "check_length",
    "decode_record", "encode_record", "time_quality",
]  # fmt: skip

MAX_RECORD_BYTES = 480
MAX_QUANTITIES = 16
VERSION = 2
"""The version of the frames that are written; those of version 1 have the kinds of record up to ``LAST_KIND_1``."""
LAST_KIND_1 = 10
_TIME_S, _U16, _I64 = 2**40, 2**16 - 1, 2**63 - 1


def encode_record(record: Record) -> bytes:
    """Encodes a record; ``decode_record`` reads the same back.

    Raises:
        WireError: a field is outside its range.
    """
    try:
        data = codec.pack(_fields(record))
    except OverflowError as error:
        raise OutOfRangeError("a number has more than 64 bits") from error
    decode_record(data)
    return data


def decode_record(data: bytes, version: int = VERSION) -> Record:
    """Decodes one record strictly; ``version`` is that of its frame, which says what kinds there are.

    Raises:
        WireError: one of its leaf classes names the reason.
    """
    fields = codec.unpack(data, limit=MAX_RECORD_BYTES)
    kind = integer(fields[0], "kind") if fields else 0
    if kind not in _READERS or (version == 1 and kind > LAST_KIND_1):
        raise UnknownKindError(f"there is no record of kind {kind} in frames of version {version}")
    least, most, read = _READERS[kind]
    codec.expect_arity(fields, least, most)
    return read(fields)


def check_length(data: bytes) -> bytes:
    """Returns an encoded record of at most ``MAX_RECORD_BYTES`` as it is.

    Raises:
        TooLongError: it is longer.
    """
    if len(data) > MAX_RECORD_BYTES:
        raise TooLongError(f"a record of {len(data)} bytes, at most {MAX_RECORD_BYTES} are allowed")
    return data


def _fields(record: Record) -> list[object]:
    if isinstance(record, Reading):
        letters = (_code(record.time_quality), _code(record.meter_state), record.flags)
        head = [1, record.meter_index, record.sequence, record.slot_s, record.read_offset_ms, *letters]
        return [*head, record.import_wh, record.export_wh, *(list(q) for q in record.quantities)]
    values = (getattr(record, name) for name in type(record).__slots__)
    return [_KINDS[type(record)], *(_ascii(v) if isinstance(v, str) else v for v in values)]


def _ascii(value: str) -> bytes:
    try:
        return value.encode("ascii")
    except UnicodeEncodeError as error:
        raise OutOfRangeError(f"{value!r} is not ASCII") from error


def _code(letter: str) -> int:
    if len(letter) != 1:
        raise OutOfRangeError(f"{letter!r} is not one letter")
    return ord(letter)


def _letter(value: Value, name: str, allowed: frozenset[str]) -> str:
    letter = chr(integer(value, name, high=127))
    if letter not in allowed:
        raise OutOfRangeError(f"{name} {letter!r} is none of {''.join(sorted(allowed))}")
    return letter


def time_quality(value: Value) -> str:
    """Returns a field that must be a time quality, as one letter.

    Raises:
        WireError: it is none.
    """
    quality = text(value, "time_quality", 1)
    if quality not in TIME_QUALITIES:
        raise OutOfRangeError(f"time_quality {quality!r} is none of {''.join(sorted(TIME_QUALITIES))}")
    return quality


def _quantity(value: Value) -> tuple[int, int, int]:
    parts = array(value, "quantity", 3)
    codec.expect_arity(parts, 3)
    code, number, scale = parts
    return integer(code, "obis", 0, 2**24 - 1), integer(number, "value", -_I64, _I64), integer(scale, "scale", -12, 12)


def _reading(f: list[Value]) -> Reading:
    return Reading(
        meter_index=integer(f[1], "meter_index", 0, _U16),
        sequence=integer(f[2], "sequence"),
        slot_s=integer(f[3], "slot_s", 0, _TIME_S),
        read_offset_ms=integer(f[4], "read_offset_ms", 0, 2**32 - 1),
        time_quality=_letter(f[5], "time_quality", TIME_QUALITIES),
        meter_state=_letter(f[6], "meter_state", METER_STATES),
        flags=integer(f[7], "flags", 0, _U16),
        import_wh=integer(f[8], "import_wh"),
        export_wh=integer(f[9], "export_wh"),
        quantities=tuple(_quantity(value) for value in f[10:]),
    )


def _declared(f: list[Value]) -> MeterDeclared:
    return MeterDeclared(
        meter_index=integer(f[1], "meter_index", 0, _U16),
        meter_id=text(f[2], "meter_id", 32),
        serial=text(f[3], "serial"),
        profile=text(f[4], "profile", 32),
        profile_hash=octets(f[5], "profile_hash", 32),
        at_s=integer(f[6], "at_s", 0, _TIME_S),
    )


def _start(f: list[Value]) -> Start:
    boot = octets(f[3], "kernel_boot_id", 16)
    return Start(
        integer(f[1], "at_ms"), time_quality(f[2]), boot, text(f[4], "version"), octets(f[5], "config_hash", 32)
    )


def _stop(f: list[Value]) -> Stop:
    return Stop(integer(f[1], "at_ms"), text(f[2], "reason"))


def _config(f: list[Value]) -> ConfigChange:
    return ConfigChange(integer(f[1], "at_ms"), octets(f[2], "config_hash", 32))


def _clock_step(f: list[Value]) -> ClockStep:
    return ClockStep(
        at_ms=integer(f[1], "at_ms"),
        kernel_boot_id=octets(f[2], "kernel_boot_id", 16),
        monotonic_ms=integer(f[3], "monotonic_ms"),
        offset_ms=integer(f[4], "offset_ms", -_I64, _I64),
        time_quality=time_quality(f[5]),
    )


def _gap(f: list[Value]) -> Gap:
    first = integer(f[2], "first", 1)
    last = integer(f[3], "last", first)
    return Gap(octets(f[1], "boot_id", 16), first, last, text(f[4], "reason"), integer(f[5], "at_ms"))


def _event(value: Value, allowed: frozenset[str]) -> str:
    event = text(value, "event", 16)
    if event not in allowed:
        raise OutOfRangeError(f"event {event!r} is none of {', '.join(sorted(allowed))}")
    return event


def _counter_1(f: list[Value]) -> CounterEvent1:
    return CounterEvent1(
        meter_index=integer(f[1], "meter_index", 0, _U16),
        slot_s=integer(f[2], "slot_s", 0, _TIME_S),
        event=_event(f[3], COUNTER_EVENTS_1),
        import_before_wh=integer(f[4], "import_before_wh"),
        import_after_wh=integer(f[5], "import_after_wh"),
        export_before_wh=integer(f[6], "export_before_wh"),
        export_after_wh=integer(f[7], "export_after_wh"),
        serial=text(f[8], "serial"),
    )


def _counter(f: list[Value]) -> CounterEvent:
    last = integer(f[4], "last_sequence", high=codec.MAX_U63 - 1)
    first = integer(f[5], "first_sequence", last + 1)
    return CounterEvent(
        meter_index=integer(f[1], "meter_index", 0, _U16),
        slot_s=integer(f[2], "slot_s", 0, _TIME_S),
        event=_event(f[3], COUNTER_EVENTS),
        last_sequence=last,
        first_sequence=first,
        confirmed_sequence=integer(f[6], "confirmed_sequence", first),
        import_before_wh=integer(f[7], "import_before_wh"),
        import_after_wh=integer(f[8], "import_after_wh"),
        export_before_wh=integer(f[9], "export_before_wh"),
        export_after_wh=integer(f[10], "export_after_wh"),
        import_width_wh=integer(f[11], "import_width_wh"),
        export_width_wh=integer(f[12], "export_width_wh"),
        serial_before=text(f[13], "serial_before"),
        serial=text(f[14], "serial"),
    )


def _rotation(f: list[Value]) -> KeyRotation:
    return KeyRotation(octets(f[1], "public_key", 32), octets(f[2], "proof", 64), integer(f[3], "at_ms"))


def _quarantine(f: list[Value]) -> BufferQuarantine:
    reason, name = text(f[2], "reason", 120), text(f[3], "file_name", 120)
    return BufferQuarantine(integer(f[1], "at_ms"), reason, name, integer(f[4], "size_bytes"))


_KINDS: dict[type, int] = {
    Reading: 1, MeterDeclared: 2, Start: 3, Stop: 4, ConfigChange: 5, ClockStep: 6, Gap: 7, CounterEvent1: 8,
    KeyRotation: 9, BufferQuarantine: 10, CounterEvent: 11,
}  # fmt: skip

_READERS: dict[int, tuple[int, int, Callable[[list[Value]], Record]]] = {
    1: (10, 10 + MAX_QUANTITIES, _reading),
    2: (7, 7, _declared),
    3: (6, 6, _start),
    4: (3, 3, _stop),
    5: (3, 3, _config),
    6: (6, 6, _clock_step),
    7: (6, 6, _gap),
    8: (9, 9, _counter_1),
    9: (4, 4, _rotation),
    10: (5, 5, _quarantine),
    11: (15, 15, _counter),
}
