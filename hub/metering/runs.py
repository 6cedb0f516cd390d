"""Sorts a meter's readings into runs of its counter, pure: readings that go on from each other at a possible power.

The readings come from ``doubts``; the runs go on to ``curve``. A run ends at a signed counter event, or where every
later reading contradicts it. A reading that fits no run is left out, and the rule that it broke is named.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

from hub.metering.readings import MeterEvent, MeterReading
from hub.metering.ways import cheapest_way

OVERLOAD_PERCENT = 120
"""The short overload that a meter or an inverter bears, in percent of its rated power."""
TOLERANCE_WH = 100
"""Two readings may differ by this much more: one of them may have been taken late in its slot."""
REACH = 500
"""Readings before the first contradiction that may still turn out wrong."""

FELL, JUMPED, MISREAD, STALE = "counter_monotonic", "rate_of_change", "misread", "stale"


@dataclass(frozen=True, slots=True)
class Run:
    """Readings that go on from each other, in order of time; ``event`` opened it, None for an unexplained new run.

    The first run of a history may have no event either.
    """

    readings: tuple[MeterReading, ...]
    event: MeterEvent | None = None


@dataclass(frozen=True, slots=True)
class Runs:
    """The runs in order of time, and the id of the rule that each reading which is left out broke, by reading id."""

    runs: tuple[Run, ...]
    left_out: dict[bytes, str]


@dataclass(frozen=True, slots=True)
class Limits:
    """What a meter can count: its rated power in W, and how coarsely its registers are rounded, in Wh."""

    rated_power_w: int
    rounding_wh: int = 1

    @classmethod
    def of(cls, rated_power_w: int, readings: Sequence[MeterReading]) -> "Limits":
        """Takes the rounding from the registers: the greatest power of ten up to 1 kWh that divides nearly all of them.

        Nearly all, for a wrong value among them says nothing of the others.
        """
        registers = {wh for r in readings for wh in (r.import_wh, r.export_wh)} - {0}
        divided = (
            step for step in (1000, 100, 10) if 4 * sum(wh % step == 0 for wh in registers) >= 3 * len(registers)
        )
        return cls(rated_power_w, next(divided, 1) if registers else 1)

    @property
    def tolerance_wh(self) -> int:
        """What two readings may differ by beyond the energy that can have flowed."""
        return max(self.rounding_wh, TOLERANCE_WH)

    def most_wh(self, elapsed_ms: int) -> int:
        """Returns the most energy in Wh that registers may show after ``elapsed_ms``: at the rated power with overload.

        The tolerance is added.
        """
        return self.rated_power_w * OVERLOAD_PERCENT * max(0, elapsed_ms) // (100 * 3_600_000) + self.tolerance_wh

    def goes_on(self, before: MeterReading, after: MeterReading) -> bool:
        """Whether both registers may have counted on from ``before`` to ``after``."""
        most = self.most_wh(after.read_ms - before.read_ms)
        return (
            before.import_wh <= after.import_wh <= before.import_wh + most
            and before.export_wh <= after.export_wh <= before.export_wh + most
        )


def runs_of(readings: Sequence[MeterReading], openings: dict[bytes, MeterEvent], limits: Limits) -> Runs:
    """Sorts readings, in order of time, into runs; ``openings`` are the signed events by the first reading after each.

    In nearly every case the readings between two events are one run. Otherwise ``ways`` says which contradict the rest.
    """
    signed = [openings.get(r.reading_id) for r in readings]
    contradicted = (
        n for n, (a, b) in enumerate(pairwise(readings)) if signed[n + 1] is None and not limits.goes_on(a, b)
    )
    first = next(contradicted, None)
    if first is None:
        steps = [(n, event is not None) for n, event in enumerate(signed)]
    else:
        begin = max(0, first - REACH)
        steps = [(n, signed[n] is not None) for n in range(begin)]
        way = cheapest_way(readings[begin:], signed[begin:], limits, is_whole=begin == 0)
        steps += [(begin + n, opens) for n, opens in way]
    return Runs(_runs(readings, signed, steps), _left_out(readings, {n for n, _ in steps}, limits))


def _runs(
    readings: Sequence[MeterReading], signed: Sequence[MeterEvent | None], steps: Sequence[tuple[int, bool]]
) -> tuple[Run, ...]:
    """Returns the runs of the readings that are kept; where one opens, the newest event since the reading before."""
    runs: list[Run] = []
    kept: list[MeterReading] = []
    event: MeterEvent | None = None
    before = -1
    for number, opens in steps:
        if opens:
            if kept:
                runs.append(Run(tuple(kept), event))
            kept = []
            event = next((e for e in reversed(signed[before + 1 : number + 1]) if e is not None), None)
        kept.append(readings[number])
        before = number
    return (*runs, Run(tuple(kept), event)) if kept else ()


def _left_out(readings: Sequence[MeterReading], kept: set[int], limits: Limits) -> dict[bytes, str]:
    """Names the rule that each reading broke, by the last reading that was kept before it."""
    broken: dict[bytes, str] = {}
    before: MeterReading | None = None
    for number, reading in enumerate(readings):
        if number in kept:
            before = reading
        else:
            broken[reading.reading_id] = _broken(before, reading, limits)
    return broken


def _broken(before: MeterReading | None, reading: MeterReading, limits: Limits) -> str:
    if before is None:
        return MISREAD
    if (before.import_wh, before.export_wh) == (reading.import_wh, reading.export_wh):
        return STALE
    if limits.goes_on(before, reading):
        return MISREAD
    fell = reading.import_wh < before.import_wh or reading.export_wh < before.export_wh
    return FELL if fell else JUMPED
