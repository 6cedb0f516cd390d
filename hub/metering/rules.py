"""The oracle's rules, pure: each is a small function with an id, which is stored with every value that it flags.

The rule ``counter_monotonic`` finds impossible values, which are refused. The rule ``rated_power`` finds doubtful ones,
which become suspect. The rules ``range`` and ``gap`` only remark. Neither refused nor suspect energy is traded.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum, auto
from itertools import pairwise

from hub.metering.readings import Energy, MeterReading

MAX_REGISTER_WH = 10**12
"""1 TWh: no meter of a building counts that far; a higher value was misread."""

OVERLOAD_PERCENT = 120
"""The short overload that a meter or an inverter bears, in percent of its rated power."""


class Effect(Enum):
    """What happens to a value that a rule flags."""

    REMARKED = auto()
    SUSPECT = auto()
    REFUSED = auto()


@dataclass(frozen=True, slots=True)
class Window:
    """What the rules check of one meter's interval: the readings inside and at its boundaries, in order of time.

    ``out_of_range`` counts the readings that were left out because ``in_range`` refused them.
    """

    readings: Sequence[MeterReading]
    out_of_range: int
    energy: Energy | None
    length_s: int
    poll_period_s: int
    rated_power_w: int


def in_range(reading: MeterReading) -> bool:
    """Whether a meter can show these registers at all."""
    return 0 <= reading.import_wh <= MAX_REGISTER_WH and 0 <= reading.export_wh <= MAX_REGISTER_WH


def range_broken(window: Window) -> bool:
    """Whether a reading of the window was left out because no register can show its value."""
    return window.out_of_range > 0


def counter_fell(window: Window) -> bool:
    """Whether a cumulative register went back."""
    return any(a.import_wh > b.import_wh or a.export_wh > b.export_wh for a, b in pairwise(window.readings))


def rated_power_exceeded(window: Window) -> bool:
    """Whether the energy is more than the meter's rated power with overload allows in the interval."""
    if window.energy is None:
        return False
    # both sides in hundredths of Ws
    limit = window.rated_power_w * window.length_s * OVERLOAD_PERCENT
    return max(window.energy.import_wh, window.energy.export_wh) * 3600 * 100 > limit


def gap_seen(window: Window) -> bool:
    """Whether there are less than two readings, or neighbours more than two poll periods apart.

    Such a gap costs resolution but no energy, as the registers are cumulative.
    """
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
    """Returns the ids of the rules that flag this window, in the order of ``RULES``, and their effects."""
    flagged = [(name, effect) for name, flags, effect in RULES if flags(window)]
    return tuple(name for name, _ in flagged), frozenset(effect for _, effect in flagged)
