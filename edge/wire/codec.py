"""Strict msgpack: only integers, byte strings and arrays, each in its shortest form, and nothing after the end."""

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import TypeAlias, Union

import msgpack

from edge.wire.errors import (
    MalformedError,
    NonCanonicalError,
    OutOfRangeError,
    TooLongError,
    TrailingBytesError,
    UnknownVersionError,
    WrongArityError,
    WrongTypeError,
)

Value: TypeAlias = Union[int, bytes, list["Value"]]  # noqa: UP007 - `|` can not name itself in Python 3.11

MAX_U63 = 2**63 - 1
"""Largest cumulative register, time or sequence: what a signed 64-bit column holds."""
MAX_DEPTH = 8
"""How deep arrays may be nested, the outermost included; a heartbeat needs five."""

_GATEWAY_ID = re.compile(rb"[a-z0-9][a-z0-9-]{0,31}")


def pack(fields: Sequence[object]) -> bytes:
    """Encodes an array of integers, byte strings and arrays, each in its shortest form.

    Raises:
        OverflowError: an integer has more than 64 bits.
    """
    packed: bytes = msgpack.packb(fields, use_bin_type=True)
    return packed


def unpack(data: bytes, *, limit: int) -> list[Value]:
    """Decodes one array that takes up all of ``data``, which has at most ``limit`` bytes.

    Raises:
        WireError: one of its leaf classes names the reason.
    """
    if len(data) > limit:
        raise TooLongError(f"{len(data)} bytes, at most {limit} are allowed")
    try:
        value = msgpack.unpackb(data, raw=True, use_list=True, strict_map_key=False, max_ext_len=0)
    except msgpack.ExtraData as error:
        raise TrailingBytesError(f"{len(error.extra)} bytes after the end") from error
    except (ValueError, TypeError, RecursionError, msgpack.UnpackException) as error:
        raise MalformedError(f"not msgpack: {str(error) or 'cut off'}") from error
    if type(value) is not list:
        raise WrongTypeError("the outermost value must be an array")
    _check_types(value, MAX_DEPTH)
    if pack(value) != data:
        raise NonCanonicalError("a value is not in its shortest form, or is text")
    return value


def _check_types(values: list[Value], depth: int) -> None:
    if depth == 0:
        raise MalformedError(f"arrays are nested deeper than {MAX_DEPTH}")
    for value in values:
        if type(value) is list:
            _check_types(value, depth - 1)
        elif type(value) is not int and type(value) is not bytes:
            raise WrongTypeError(f"{type(value).__name__}: only integers, byte strings and arrays are allowed")


def byte_strings(data: bytes) -> Iterator[bytes]:
    """Splits concatenated msgpack byte strings, each in its shortest form.

    Raises:
        WireError: something else stands there, or the last one is cut off.
    """
    position, end = 0, len(data)
    while position < end:
        kind = data[position]
        if kind not in (0xC4, 0xC5):
            raise WrongTypeError("the body must be byte strings of less than 64 KiB")
        start = position + (2 if kind == 0xC4 else 3)
        size = int.from_bytes(data[position + 1 : start], "big")
        if start + size > end:
            raise MalformedError("the last record is cut off")
        if kind == 0xC5 and size < 256:
            raise NonCanonicalError("a record's length is not in its shortest form")
        yield data[start : start + size]
        position = start + size


def expect_tag(fields: list[Value], tag: bytes, arity: int) -> None:
    """Checks the domain tag in front, then the number of fields.

    Raises:
        UnknownVersionError: the tag is another one.
        WrongArityError: there are too few or too many fields.
    """
    if not fields or fields[0] != tag:
        raise UnknownVersionError(f"this is not {tag.decode()}")
    expect_arity(fields, arity)


def version_of(fields: list[Value], versions: Mapping[bytes, int]) -> int:
    """Returns the version that the domain tag in front stands for.

    Raises:
        UnknownVersionError: the tag is none of these.
    """
    tag = fields[0] if fields else None
    if not isinstance(tag, bytes) or tag not in versions:
        raise UnknownVersionError(f"this is not {' or '.join(name.decode() for name in versions)}")
    return versions[tag]


def expect_arity(fields: list[Value], least: int, most: int | None = None) -> None:
    """Checks the number of fields.

    Raises:
        WrongArityError: there are too few or too many.
    """
    if not least <= len(fields) <= (least if most is None else most):
        raise WrongArityError(f"{len(fields)} fields, expected {least if most is None else f'{least} to {most}'}")


def integer(value: Value, name: str, low: int = 0, high: int = MAX_U63) -> int:
    """Returns a field that must be an integer from ``low`` to ``high``; ``name`` is for the message.

    Raises:
        WrongTypeError: it is no integer.
        OutOfRangeError: it is outside the range.
    """
    if type(value) is not int:
        raise WrongTypeError(f"{name} must be an integer")
    if not low <= value <= high:
        raise OutOfRangeError(f"{name} is {value}, outside {low} to {high}")
    return value


def octets(value: Value, name: str, size: int | None = None, most: int = 64) -> bytes:
    """Returns a field that must be bytes: exactly ``size`` of them, or at most ``most``.

    Raises:
        WrongTypeError: it is no byte string.
        OutOfRangeError: it has another length.
    """
    if type(value) is not bytes:
        raise WrongTypeError(f"{name} must be a byte string")
    if (len(value) != size) if size is not None else (len(value) > most):
        raise OutOfRangeError(f"{name} has {len(value)} bytes instead of {size if size is not None else f'<= {most}'}")
    return value


def text(value: Value, name: str, most: int = 64) -> str:
    """Returns a field that must be printable ASCII of at most ``most`` bytes, as text.

    Raises:
        WrongTypeError: it is no byte string.
        OutOfRangeError: it is longer, or has other bytes.
    """
    raw = octets(value, name, most=most)
    if not all(0x20 <= byte < 0x7F for byte in raw):
        raise OutOfRangeError(f"{name} must be printable ASCII")
    return raw.decode("ascii")


def array(value: Value, name: str, most: int) -> list[Value]:
    """Returns a field that must be an array of at most ``most`` elements.

    Raises:
        WrongTypeError: it is no array.
        OutOfRangeError: it has more elements.
    """
    if type(value) is not list:
        raise WrongTypeError(f"{name} must be an array")
    if len(value) > most:
        raise OutOfRangeError(f"{name} has {len(value)} elements, at most {most} are allowed")
    return value


def gateway_name(value: Value) -> str:
    """Returns a field that must be a gateway id, as text.

    Raises:
        WrongTypeError: it is no byte string.
        OutOfRangeError: it is no gateway id.
    """
    raw = octets(value, "gateway_id", most=32)
    if not _GATEWAY_ID.fullmatch(raw):
        raise OutOfRangeError("gateway_id must be 1 to 32 of a-z, 0-9 and -, and not begin with -")
    return raw.decode("ascii")
