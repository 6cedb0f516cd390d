"""Shares out the energy of a gap over its time, pure: by power, or by how it is usually spread over a day.

``curve`` asks for the part up to a moment. The parts of intervals that touch always sum up to the whole.
"""

from collections.abc import Sequence
from fractions import Fraction
from typing import NamedTuple, Protocol

DAY_MS = 86_400_000
W_MS_PER_WH = 3_600_000


class Piece(NamedTuple):
    """A part of a gap, in ms since 1970, with the same weight all along."""

    since_ms: int
    until_ms: int
    weight: int


class Spread(Protocol):
    """How energy is spread over time. The weight of a moment must not depend on the gap that is shared out."""

    def pieces(self, direction: int, since_ms: int, until_ms: int) -> Sequence[Piece]:
        """Returns a gap, in ms since 1970, as pieces for import (0) or export (1); none when nothing is known."""
        ...


def part_wh(total_wh: int, pieces: Sequence[Piece], at_ms: int, rated_power_w: int) -> int:
    """Returns the part of a gap's energy before ``at_ms``, rounded down to Wh.

    It flows in proportion to the weights, but nowhere at more than the rated power: what is more than that flows in the
    other pieces with a weight, and at last in those without. A gap whose mean is more than the rated power is shared
    out evenly.
    """
    length_ms = sum(p.until_ms - p.since_ms for p in pieces)
    if total_wh * W_MS_PER_WH >= rated_power_w * length_ms:
        pieces = [p._replace(weight=0) for p in pieces]
    full, rest_wh = _full_pieces(total_wh, pieces, rated_power_w)
    rest = [p for p in pieces if p.weight < full]
    if not any(p.weight for p in rest):
        rest = [p._replace(weight=1) for p in rest]
    before_wh = Fraction(rated_power_w * sum(_ms_before(p, at_ms) for p in pieces if p.weight >= full), W_MS_PER_WH)
    whole = sum((p.until_ms - p.since_ms) * p.weight for p in rest)
    if whole:
        before_wh += rest_wh * sum(_ms_before(p, at_ms) * p.weight for p in rest) / whole
    return int(before_wh)


def _full_pieces(total_wh: int, pieces: Sequence[Piece], rated_power_w: int) -> tuple[int, Fraction]:
    """Returns from which weight on the rated power flows all along, and the energy that is left for the others."""
    lengths_ms: dict[int, int] = {}
    for piece in pieces:
        lengths_ms[piece.weight] = lengths_ms.get(piece.weight, 0) + piece.until_ms - piece.since_ms
    lengths_ms.pop(0, None)
    left_wh, left_weight = Fraction(total_wh), sum(weight * ms for weight, ms in lengths_ms.items())
    full = max(lengths_ms, default=0) + 1
    for weight in sorted(lengths_ms, reverse=True):
        if left_wh * weight * W_MS_PER_WH <= rated_power_w * left_weight:
            break
        full = weight
        left_wh -= Fraction(rated_power_w * lengths_ms[weight], W_MS_PER_WH)
        left_weight -= weight * lengths_ms[weight]
    return full, left_wh


def _ms_before(piece: Piece, at_ms: int) -> int:
    return max(0, min(piece.until_ms, at_ms) - piece.since_ms)
