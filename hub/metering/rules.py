"""The oracle's rules, each with an id that stays on the value and a small function of its own, pure.

A rule flags. Range and counter monotonic find impossible values, which are refused; rated power finds doubtful ones,
which are kept as suspect; a gap is only remarked. Neither refused nor suspect energy trades.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum
from itertools import pairwise

from hub.metering.readings import Energy, MeterReading

MAX_REGISTER_WH = 10**12
"""1 TWh: no meter of a building gets there; what shows more was misread."""

OVERLOAD_PERCENT = 120
"""A meter's and an inverter's short overload, in percent of the rated power."""


class Effect(Enum):
    """What a rule does to the value that it flags."""

    REMARKED = "remarked"
    SUSPECT = "suspect"
    REFUSED = "refused"


@dataclass(frozen=True, slots=True)
class Window:
    """One meter's interval as the rules see it: the readings inside and at its boundaries, in order of time."""

    readings: Sequence[MeterReading]
    out_of_range: int
    energy: Energy | None
    length_s: int
    poll_period_s: int
    rated_power_w: int


def in_range(reading: MeterReading) -> bool:
    """Whether a meter could show these registers at all."""
    return 0 <= reading.import_wh <= MAX_REGISTER_WH and 0 <= reading.export_wh <= MAX_REGISTER_WH


def range_broken(window: Window) -> bool:
    """A reading in the window shows what no register holds; that reading was left out."""
    return window.out_of_range > 0


def counter_fell(window: Window) -> bool:
    """A cumulative register went back."""
    return any(a.import_wh > b.import_wh or a.export_wh > b.export_wh for a, b in pairwise(window.readings))


def rated_power_exceeded(window: Window) -> bool:
    """More energy than the meter's rated power with overload allows in the interval."""
    if window.energy is None:
        return False
    most = window.rated_power_w * window.length_s * OVERLOAD_PERCENT
    return max(window.energy.import_wh, window.energy.export_wh) * 3600 * 100 > most


def gap_seen(window: Window) -> bool:
    """No two readings, or neighbours further apart than two poll periods: resolution was lost, energy was not."""
    return len(window.readings) < 2 or any(
        b.slot_s - a.slot_s > 2 * window.poll_period_s for a, b in pairwise(window.readings)
    )


RULES = (
    ("range", range_broken, Effect.REMARKED),
    ("counter_monotonic", counter_fell, Effect.REFUSED),
    ("rated_power", rated_power_exceeded, Effect.SUSPECT),
    ("gap", gap_seen, Effect.REMARKED),
)
"""Every rule with its id and effect; a new rule is one function and one row."""


def judge(window: Window) -> tuple[tuple[str, ...], frozenset[Effect]]:
    """The ids of the rules that flag this window, in the table's order, and what they do to the value."""
    found = [(name, effect) for name, flags, effect in RULES if flags(window)]
    return tuple(name for name, _ in found), frozenset(effect for _, effect in found)
