"""A figure: what was measured how often, with its least, middle and greatest value; as a table and as JSON."""

import math
import statistics
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Figure:
    """One value per run. ``n`` says how many things a run handled, ``seconds`` how long all runs took."""

    name: str
    unit: str
    values: tuple[float, ...]
    n: int
    seconds: float
    what: str

    @property
    def median(self) -> float:
        return statistics.median(self.values)

    def as_json(self) -> dict[str, Any]:
        return {
            "unit": self.unit,
            "min": tidy(min(self.values)),
            "median": tidy(self.median),
            "max": tidy(max(self.values)),
            "runs": len(self.values),
            "n": self.n,
            "seconds": round(self.seconds, 3),
            "what": self.what,
        }


def percentile(values: Sequence[float], percent: float) -> float:
    """The smallest value that this many percent do not exceed (nearest rank)."""
    return sorted(values)[max(0, math.ceil(len(values) * percent / 100) - 1)]


def tidy(value: float) -> float:
    """Four significant digits; whole numbers from 1000 on."""
    if value == 0 or abs(value) >= 1000:
        return round(value)
    return round(value, 3 - math.floor(math.log10(abs(value))))


def table(figures: Sequence[Figure]) -> str:
    """For people: one line a figure, and below it what it means."""
    rows = [f"{'figure':<34}{'min':>10}{'median':>10}{'max':>10}  {'unit':<16}{'runs':>4}{'n':>9}"]
    for one in figures:
        low, middle, high = (f"{tidy(value):g}" for value in (min(one.values), one.median, max(one.values)))
        rows.append(f"{one.name:<34}{low:>10}{middle:>10}{high:>10}  {one.unit:<16}{len(one.values):>4}{one.n:>9}")
        rows.append(f"    {one.what}")
    return "\n".join(rows)
