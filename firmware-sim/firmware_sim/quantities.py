"""The quantities of a snapshot: those that are measured, and the many that a meter shows and that follow from them."""

from collections.abc import Callable, Mapping
from math import acos, degrees

from firmware_sim.energy import thirds

THD_VOLTAGE_PERMILLE, THD_CURRENT_PERMILLE = 21, 64
"""Harmonics as in a building with many power supplies."""
REACTIVE_SHARE = 4
"""Reactive energy is this part of the active one."""


class Quantities(dict[str, int]):
    """Whole numbers by name; the names say their units. One that is not there is derived when it is asked for."""

    def __missing__(self, name: str) -> int:
        return DERIVED[name](self)


def _phase(name: str, phase: int) -> Callable[[Mapping[str, int]], int]:
    """Returns an energy's part of one phase; the three add up to the whole."""
    return lambda values: thirds(values[name])[phase - 1]


def _share(power: str, of: str, phase: int) -> Callable[[Mapping[str, int]], int]:
    """Returns a phase's part of a power, as its active power is of the active one."""
    return lambda values: values[of] * abs(values[f"power_l{phase}_w"]) // max(abs(values[power]), 1)


def _between_phases(first: int, second: int) -> Callable[[Mapping[str, int]], int]:
    """Returns the voltage between two phases: the square root of 3 times their mean."""
    return lambda values: (values[f"voltage_l{first}_mv"] + values[f"voltage_l{second}_mv"]) * 866 // 1000


def _mean(*names: str) -> Callable[[Mapping[str, int]], int]:
    return lambda values: sum(values[name] for name in names) // len(names)


def _angle_millidegrees(values: Mapping[str, int]) -> int:
    if not values["apparent_va"]:
        return 0
    return round(1000 * degrees(acos(values["power_factor_permille"] / 1000)))


VOLTAGES = tuple(f"voltage_l{phase}_mv" for phase in (1, 2, 3))
LINE_VOLTAGES = ("voltage_l12_mv", "voltage_l23_mv", "voltage_l31_mv")
CURRENTS = tuple(f"current_l{phase}_ma" for phase in (1, 2, 3))

DERIVED: Mapping[str, Callable[[Mapping[str, int]], int]] = {
    "voltage_l12_mv": _between_phases(1, 2),
    "voltage_l23_mv": _between_phases(2, 3),
    "voltage_l31_mv": _between_phases(3, 1),
    "voltage_mean_mv": _mean(*VOLTAGES),
    "voltage_line_mean_mv": _mean(*LINE_VOLTAGES),
    "current_mean_ma": _mean(*CURRENTS),
    "current_sum_ma": lambda values: sum(values[name] for name in CURRENTS),
    "current_neutral_ma": lambda values: (
        max(values[name] for name in CURRENTS) - min(values[name] for name in CURRENTS)
    ),
    "phase_angle_millidegrees": _angle_millidegrees,
    "thd_voltage_permille": lambda values: THD_VOLTAGE_PERMILLE if values["voltage_l1_mv"] else 0,
    "thd_current_permille": lambda values: THD_CURRENT_PERMILLE if values["current_l1_ma"] else 0,
    "net_wh": lambda values: values["import_wh"] - values["export_wh"],
    "partial_import_wh": lambda values: values["import_wh"],
    "import_varh": lambda values: values["import_wh"] // REACTIVE_SHARE,
    "export_varh": lambda values: values["export_wh"] // REACTIVE_SHARE,
    "total_varh": lambda values: values["import_varh"] + values["export_varh"],
    **{
        f"{name}_l{phase}_{unit}": _phase(f"{name}_{unit}", phase)
        for name in ("import", "export", "total", "net")
        for unit in ("wh", "varh")
        for phase in (1, 2, 3)
        if (name, unit) != ("net", "varh")
    },
    **{f"apparent_l{phase}_va": _share("power_w", "apparent_va", phase) for phase in (1, 2, 3)},
    **{f"reactive_l{phase}_var": _share("power_w", "reactive_var", phase) for phase in (1, 2, 3)},
    **{f"power_factor_l{phase}_permille": lambda values: values["power_factor_permille"] for phase in (1, 2, 3)},
}
"""How a quantity follows from others."""
