"""What a meter's registers are judged by, pure: points in time with registers, and whether one can follow another."""

from dataclasses import dataclass, replace

from edge.runtime.clock import EARLIEST_MS
from edge.wire.kinds import FELL_OR_FIRST, GOOD, JUMPED, OTHER_IDENTITY

OVERLOAD_PERCENT = 120
"""A connection may carry more than its rated power for a while."""
TOLERANCE_WH = 100
"""For rounding, and for registers that a meter renews only now and then."""
TOLERANCE_S, WALL_TOLERANCE_S = 5, 60
"""For the time that an answer takes; more where only the wall clock says how much time has passed."""
ASSUMED_S = 3_600
"""Taken for the time between two readings when the machine has booted since, and the wall clock can not be true."""
LONGEST_S = 400 * 86_400
"""More time than this between two readings is no time that a wall clock can be believed."""


@dataclass(frozen=True, slots=True)
class Rules:
    """What is known of a kind of meter: how fast its registers can grow, and how they can fall."""

    max_power_w: int
    period_ms: int
    """Of polling."""
    save_period_s: int = 0
    """How often the meter saves its registers; after a power cut they can be so old."""
    import_rollovers_wh: tuple[int, ...] = ()
    """Where the import register begins again at 0, as far as that is known."""
    export_rollovers_wh: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class Point:
    """The registers of one recorded reading."""

    sequence: int
    at_ms: int
    """By the wall clock, in ms since 1970."""
    monotonic_ms: int | None
    """By the clock that never jumps; None when the machine has booted since."""
    late_ms: int
    """How long the reading may have been on its way before that."""
    import_wh: int
    export_wh: int
    serial: str = ""
    """Empty when the meter told none."""


def elapsed_s(before: Point, now: Point) -> int:
    """Returns the most time in s that can have passed between two points, with the tolerance that its clock needs."""
    if before.monotonic_ms is not None and now.monotonic_ms is not None:
        return max(0, now.monotonic_ms - before.monotonic_ms + before.late_ms) // 1000 + TOLERANCE_S
    by_wall_s = (now.at_ms - before.at_ms + before.late_ms) // 1000
    if before.at_ms < EARLIEST_MS or not 0 < by_wall_s <= LONGEST_S:
        by_wall_s = ASSUMED_S
    return by_wall_s + WALL_TOLERANCE_S


def most_wh(before: Point, now: Point, rules: Rules) -> int:
    """Returns the most energy in Wh that a register can have counted between two points."""
    return rules.max_power_w * OVERLOAD_PERCENT * elapsed_s(before, now) // (100 * 3_600) + TOLERANCE_WH


def letter(before: Point, now: Point, rules: Rules) -> str:
    """Returns the state of a reading that comes after another: good when its registers go on from the other's."""
    if differ(before, now):
        return OTHER_IDENTITY
    growth_wh = (now.import_wh - before.import_wh, now.export_wh - before.export_wh)
    if min(growth_wh) < 0:
        return FELL_OR_FIRST
    return GOOD if max(growth_wh) <= most_wh(before, now, rules) else JUMPED


def goes_on(before: Point, now: Point, rules: Rules) -> bool:
    """Returns whether the registers of ``now`` can be those of ``before`` a while later."""
    return letter(before, now, rules) == GOOD


def not_before(before: Point | None, now: Point) -> Point:
    """Returns ``now`` on its way for no longer than since ``before`` was read: they came in order."""
    if before is None or before.monotonic_ms is None or now.monotonic_ms is None:
        return now
    since_ms = max(0, now.monotonic_ms - before.monotonic_ms + before.late_ms)
    return now if now.late_ms <= since_ms else replace(now, late_ms=since_ms)


def differ(before: Point, now: Point) -> bool:
    """Returns whether two points are of meters with different identities; an unknown one differs from none."""
    return bool(before.serial and now.serial and before.serial != now.serial)


def between_ms(before: Point, now: Point) -> int:
    """Returns the time in ms that passed between two points when both were read."""
    if before.monotonic_ms is not None and now.monotonic_ms is not None:
        return now.monotonic_ms - before.monotonic_ms
    return now.at_ms - before.at_ms
