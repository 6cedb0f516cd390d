"""A figure: the values of all runs with their minimum, median and maximum, as a table and as JSON."""

import math
import statistics
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

TIMES = ("s", "ms", "us")


@dataclass(frozen=True)
class Figure:
    """A measured quantity, one value per run; ``n`` is what a run handled, ``seconds`` the time of all runs."""

    name: str
    unit: str
    values: tuple[float, ...]
    n: int
    seconds: float
    what: str

    @property
    def median(self) -> float:
        return statistics.median(self.values)

    def as_json(self, machine_factor: float) -> dict[str, Any]:
        scaled = at_factor_1(self.median, self.unit, machine_factor)
        return {
            "unit": self.unit,
            "min": tidy(min(self.values)),
            "median": tidy(self.median),
            "max": tidy(max(self.values)),
            "values": [tidy(value) for value in self.values],
            "at_factor_1": None if scaled is None else tidy(scaled),
            "runs": len(self.values),
            "n": self.n,
            "seconds": tidy(self.seconds),
            "what": self.what,
        }


def at_factor_1(value: float, unit: str, machine_factor: float) -> float | None:
    """Returns a value as the reference machine would have it; None for what no processor makes faster."""
    if unit.endswith("/s"):
        return value * machine_factor
    return value / machine_factor if unit.split("/", maxsplit=1)[0] in TIMES else None


def ratio(name: str, plain: float, figure: Figure) -> Figure:
    """Returns how many times as long as the plain part's median a figure takes, run by run."""
    values = tuple(plain / value if figure.unit.endswith("/s") else value / plain for value in figure.values)
    return Figure(name, "times", values, figure.n, figure.seconds, f"{figure.name} beside its plain part, of this run")


def percentile(values: Sequence[float], percent: float) -> float:
    """Returns the smallest value that this many percent do not exceed (nearest rank)."""
    return sorted(values)[max(0, math.ceil(len(values) * percent / 100) - 1)]


def tidy(value: float) -> float:
    """Rounds to four significant digits, and from 1000 on to whole numbers."""
    if value == 0 or abs(value) >= 1000:
        return round(value)
    return round(value, 3 - math.floor(math.log10(abs(value))))


def table(figures: Sequence[Figure], machine_factor: float) -> str:
    """Returns the figures as text: one line each, and below it what it means."""
    rows = [
        f"{'figure':<34}{'min':>10}{'median':>10}{'max':>10}{'factor 1':>10}  {'unit':<16}{'runs':>4}{'n':>9}",
    ]
    for figure in figures:
        values = figure.values
        low, median, high = (f"{tidy(value):g}" for value in (min(values), figure.median, max(values)))
        scaled = at_factor_1(figure.median, figure.unit, machine_factor)
        at_1 = "" if scaled is None else f"{tidy(scaled):g}"
        numbers = f"{low:>10}{median:>10}{high:>10}{at_1:>10}"
        rows.append(f"{figure.name:<34}{numbers}  {figure.unit:<16}{len(values):>4}{figure.n:>9}")
        rows.append(f"    {figure.what}")
    return "\n".join(rows)
