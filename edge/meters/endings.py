"""Says how a doubt ended, pure: what happened to registers that do not go on from where they were.

Sources: counters that begin again at 0 past their width (SunSpec's acc32, displays); meters that save their energy
every few minutes and go back to that after a power cut (Janitza UMG 96, manual p. 64).
"""

from dataclasses import dataclass, replace

from edge.meters.points import OVERLOAD_PERCENT, TOLERANCE_WH, Point, Rules, between_ms, differ, goes_on, most_wh

SILENT_PERIODS = 1.5
"""No reading for longer than this many poll periods: the meter did not answer."""


@dataclass(frozen=True, slots=True)
class Ending:
    """The event of a ``wire.kinds.CounterEvent``, the readings that it is about, and the widths of a rollover."""

    event: str
    last_sequence: int
    first_sequence: int
    confirmed_sequence: int
    before: Point | None
    """The last reading of the old registers; None without one."""
    first: Point
    import_width_wh: int = 0
    export_width_wh: int = 0
    serial_before: str = ""
    serial: str = ""


def ending(
    baseline: Point | None, previous: Point | None, given_up: tuple[Point, ...], first: Point, last: Point, rules: Rules
) -> Ending:
    """Returns how the doubt ended whose new registers several readings confirm: ``first`` to ``last``.

    ``previous`` is the reading before the baseline, ``given_up`` are baselines that earlier events gave up.
    """
    event = "first" if baseline is None else "unexplained"
    before = baseline
    serial = last.serial or first.serial or (baseline.serial if baseline else "")
    ended = Ending(event, 0, first.sequence, last.sequence, before, first, serial=serial)
    if baseline is None:
        return ended
    ended = replace(ended, last_sequence=baseline.sequence, serial_before=baseline.serial)
    for good in (previous, *reversed(given_up)):
        if good is not None and goes_on(good, first, rules):
            return replace(ended, event="misread", last_sequence=good.sequence, before=good, serial_before=good.serial)
    if differ(baseline, replace(first, serial=serial)):
        return replace(ended, event="swap")
    widths = _rollover_wh(baseline, first, rules)
    if any(widths):
        return replace(ended, event="rollover", import_width_wh=widths[0], export_width_wh=widths[1])
    if _stepped_back(baseline, first, rules):
        return replace(ended, event="step_back")
    if _began_again(baseline, first, rules):
        return replace(ended, event="reset")
    return ended


def _pairs(before: Point, now: Point) -> tuple[tuple[int, int], tuple[int, int]]:
    return (before.import_wh, now.import_wh), (before.export_wh, now.export_wh)


def _fallen(before: Point, now: Point) -> list[tuple[int, int]]:
    return [pair for pair in _pairs(before, now) if pair[1] < pair[0]]


def _others_can_be(before: Point, now: Point, rules: Rules) -> bool:
    """Whether what did not fall has grown no more than it can."""
    most = most_wh(before, now, rules)
    return all(new - old <= most for old, new in _pairs(before, now))


def _rollover_wh(before: Point, now: Point, rules: Rules) -> tuple[int, int]:
    """Where import and export began again; 0 for one that did not, both 0 when this explains not all that happened."""
    most = most_wh(before, now, rules)
    widths = []
    known = (rules.import_rollovers_wh, rules.export_rollovers_wh)
    for (old, new), rollovers_wh in zip(_pairs(before, now), known, strict=True):
        reached = [width for width in rollovers_wh if old < width and new + width - old <= most]
        if new < old and not reached:
            return 0, 0
        widths.append(min(reached) if new < old else 0)
    return (widths[0], widths[1]) if _others_can_be(before, now, rules) else (0, 0)


def _stepped_back(before: Point, now: Point, rules: Rules) -> bool:
    """Whether the meter lost its power, and with it at most what it counts between two savings."""
    if not rules.save_period_s or between_ms(before, now) <= SILENT_PERIODS * rules.period_ms:
        return False
    most = rules.max_power_w * OVERLOAD_PERCENT * rules.save_period_s // (100 * 3_600) + TOLERANCE_WH
    return _others_can_be(before, now, rules) and all(old - new <= most for old, new in _fallen(before, now))


def _began_again(before: Point, now: Point, rules: Rules) -> bool:
    """Whether the registers began again at 0: all that they show can have been counted since."""
    most = most_wh(before, now, rules)
    fallen = _fallen(before, now)
    return bool(fallen) and _others_can_be(before, now, rules) and all(new <= most for _, new in fallen)
