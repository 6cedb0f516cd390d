"""OBIS codes (IEC 62056-61, electricity, channel 0) as the small integers that records carry."""

from edge.wire.errors import OutOfRangeError


def obis(text: str) -> int:
    """Encodes ``"16.7.0"`` (C.D.E) as an integer: E * 65536 + C * 256 + D, so that the usual E = 0 takes two bytes.

    Raises:
        OutOfRangeError: the text is no such code.
    """
    parts = text.split(".")
    if len(parts) != 3 or not all(part.isascii() and part.isdigit() and int(part) < 256 for part in parts):
        raise OutOfRangeError(f"{text!r} is no OBIS code of the form C.D.E")
    c, d, e = map(int, parts)
    return e << 16 | c << 8 | d


def obis_text(code: int) -> str:
    """Decodes the integer to C.D.E."""
    return f"{code >> 8 & 0xFF}.{code & 0xFF}.{code >> 16}"


IMPORT, EXPORT = obis("1.8.0"), obis("2.8.0")
ACTIVE_POWER = obis("16.7.0")
"""Active power in W times 10**scale, positive when the meter imports."""
