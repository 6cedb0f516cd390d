"""Rules over what a meter of its kind can show: frozen registers, a reversed transformer, sun at night, wrong power."""

from itertools import pairwise

from hub.metering.rules.window import Window
from hub.metering.runs import OVERLOAD_PERCENT
from hub.metering.ways import POWER_RATIO

FROZEN_READINGS = 3


def frozen(window: Window) -> bool:
    """Whether both registers stood still over the interval while power flowed."""
    power = window.power_wh()
    if power is None or len(window.readings) < FROZEN_READINGS or max(window.energy.import_wh, window.energy.export_wh):
        return False
    return max(power) > 2 * window.little_wh


def power_disagrees(window: Window) -> bool:
    """Whether registers that count and power readings differ by more than the factor ``POWER_RATIO``."""
    power = window.power_wh()
    if power is None:
        return False
    counted = window.energy.import_wh, window.energy.export_wh
    return max(counted) > 0 and any(
        max(pair) > POWER_RATIO * (min(pair) + window.little_wh) for pair in zip(power, counted, strict=True)
    )


def power_jumped(window: Window) -> bool:
    """Whether the power changed between two readings by more than from full export to full import with overload."""
    most_w = 2 * window.meter.rated_power_w * OVERLOAD_PERCENT // 100
    return any(
        a.active_power_w is not None
        and b.active_power_w is not None
        and abs(b.active_power_w - a.active_power_w) > most_w
        for a, b in pairwise(window.readings)
    )


def load_exports(window: Window) -> bool:
    """Whether a load gives energy: its current transformer is reversed, or its kind is wrong."""
    return window.meter.kind == "load" and window.energy.export_wh > window.noise_wh


def both_rise(window: Window) -> bool:
    """Whether a load or a generator imports and exports much in one interval: one transformer of three is reversed."""
    if window.meter.kind not in ("load", "generation"):
        return False
    return min(window.energy.import_wh, window.energy.export_wh) > window.little_wh


def exports_at_night(window: Window) -> bool:
    """Whether a generator gives energy while no sun shines on the site."""
    return window.meter.kind == "generation" and window.sun_is_up is False and window.energy.export_wh > window.noise_wh
