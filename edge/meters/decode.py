"""Decodes registers exactly, pure: a value stays a fraction until it is rounded once, half up, to whole units."""

import math
import struct
from collections.abc import Sequence
from fractions import Fraction

from edge.errors import ImplausibleError

WORDS = {"u16": 1, "i16": 1, "u32": 2, "i32": 2, "f32": 2, "u64": 4, "i64": 4, "f64": 4}
"""How many registers a value of each type takes."""


def decode(registers: Sequence[int], kind: str, *, low_word_first: bool = False) -> Fraction | None:
    """Decodes the value in these registers; None for NaN and for the integers that mean "not available".

    Those are all ones of an unsigned integer, and the highest and the lowest of a signed one: makers use either.

    Raises:
        ImplausibleError: it is infinite.
    """
    words = list(reversed(registers)) if low_word_first else list(registers)
    raw = struct.pack(f">{len(words)}H", *words)
    if kind[0] == "f":
        (number,) = struct.unpack(">f" if kind == "f32" else ">d", raw)
        if math.isnan(number):
            return None
        if math.isinf(number):
            raise ImplausibleError("the meter says infinity")
        return Fraction(number)
    value = int.from_bytes(raw, "big", signed=kind[0] == "i")
    bits = 8 * len(raw)
    missing = {2 ** (bits - 1) - 1, -(2 ** (bits - 1))} if kind[0] == "i" else {2**bits - 1}
    return None if value in missing else Fraction(value)


def half_up(value: Fraction) -> int:
    """Rounds to the nearest whole number, a half towards plus infinity."""
    return math.floor(value + Fraction(1, 2))
