"""Rules over the registers: what was left out, what was not measured, and what is more than can have flowed."""

from itertools import pairwise

from hub.metering.rules.window import Window


def doubted(name: str, window: Window) -> bool:
    """Whether a reading of the interval does not count by the rule of this name."""
    return name in window.doubted


def rated_power_exceeded(window: Window) -> bool:
    """Whether the energy is more than the rated power with overload gives, and than registers are rounded by."""
    return max(window.energy.import_wh, window.energy.export_wh) > window.most_wh


def gap_seen(window: Window) -> bool:
    """Whether there are less than two readings, or neighbours more than two poll periods apart.

    Such a gap costs resolution but no energy, as the registers are cumulative.
    """
    return len(window.readings) < 2 or any(
        b.slot_s - a.slot_s > 2 * window.poll_period_s for a, b in pairwise(window.readings)
    )


def boundary_interpolated(window: Window) -> bool:
    """Whether a boundary lies between two readings that are near enough for a valid value."""
    return any(
        boundary is not None and boundary.valid and not boundary.read for boundary in (window.first, window.last)
    )


def boundary_shared(window: Window) -> bool:
    """Whether a boundary lies in a longer gap, so that the energy of the gap had to be shared out."""
    return any(boundary is not None and not boundary.valid for boundary in (window.first, window.last))


def not_measured(window: Window) -> bool:
    """Whether nobody measured a part of the interval."""
    return window.unknown_ms > 0
