"""Registers to exact numbers."""

from collections.abc import Sequence
from fractions import Fraction

import pytest

from edge.meters.decode import decode, half_up


@pytest.mark.parametrize(
    ("words", "kind", "value"),
    [
        ([0x4640, 0xE6B7], "f32", Fraction(12641975, 1024)),
        ([0x7FC0, 0], "f32", None),
        ([0xFFFF, 0xFFFF], "u32", None),
        ([0x7FFF, 0xFFFF], "i32", None),
        ([0x8000, 0], "i32", None),
        ([0x8000, 1], "i32", Fraction(1 - 2**31)),
        ([0x8000, 0, 0, 0], "i64", None),
        ([0x8000], "u16", Fraction(0x8000)),
        ([0xFFFF, 0xFFFF], "i32", Fraction(-1)),
        ([0, 0, 0, 5], "i64", Fraction(5)),
        ([0x3FF0, 0, 0, 0], "f64", Fraction(1)),
        ([0xFFFE], "i16", Fraction(-2)),
    ],
)
def test_decoding(words: Sequence[int], kind: str, value: Fraction | None) -> None:
    assert decode(words, kind) == value
    assert decode(list(reversed(words)), kind, low_word_first=True) == value


def test_a_half_goes_up() -> None:
    halves = [Fraction(5, 2), Fraction(-5, 2), Fraction(7, 3)]
    assert [half_up(value) for value in halves] == [3, -2, 2]
