"""Finds the readings that contradict the others, pure: the cheapest way through a meter's readings.

Each way keeps some readings and leaves the others out; between two that it keeps the counter goes on, or a new run
begins. ``runs`` asks when not every reading goes on from the one before.
"""

from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import accumulate, pairwise
from typing import TYPE_CHECKING, NamedTuple

from hub.metering.readings import MeterEvent, MeterReading

if TYPE_CHECKING:
    from hub.metering.runs import Limits

LEAST_RUN = 3
"""Readings that confirm a new run which no signed event explains."""
LEFT_OUT_COST, NEW_RUN_COST = 2, 2 * LEAST_RUN - 1
RETURN_COST = 3
"""Readings between two that go on from each other, while they are far from both, cost no more than this together:
less than two readings of the run beside them."""
POWER_RATIO = 3
"""Registers and power that differ by this factor do not belong together; less is the error of a sample a minute."""
OTHER_METER = frozenset({"first", "swap"})
"""Events in which the meter may be another: no way goes on across one as if it had not been signed."""


class _Step(NamedTuple):
    """The cheapest way to keep a reading. Of equals the one with less energy is taken, then earlier ones."""

    cost: int
    energy_wh: int
    before: int
    opens: bool


@dataclass(frozen=True, slots=True)
class _Readings:
    """The readings of a search, with what is asked of them in constant time."""

    readings: Sequence[MeterReading]
    limits: "Limits"
    events: Sequence[int]
    """Numbers of the readings that a signed event opens."""
    other_meter: Sequence[int]
    """Those of them where the meter may be another."""
    power_wms: Sequence[int]
    """Power times time up to each reading, in W ms, each power held until the next reading; 0 where it was not read."""
    same_until: Sequence[int]
    """Per reading the last one of those after it that all have its registers."""

    def follows(self, j: int, i: int) -> bool:
        return self.limits.goes_on(self.readings[j], self.readings[i])

    def growth_wh(self, j: int, i: int) -> int:
        before, after = self.readings[j], self.readings[i]
        return after.import_wh - before.import_wh + after.export_wh - before.export_wh

    def is_opened(self, j: int, i: int) -> bool:
        """Whether an event was signed for a reading after ``j`` up to ``i``."""
        return bisect_right(self.events, i) > bisect_right(self.events, j)

    def may_be_another(self, j: int, i: int) -> bool:
        return bisect_right(self.other_meter, i) > bisect_right(self.other_meter, j)

    def is_aside(self, j: int, i: int) -> bool:
        """Whether each reading between is farther from both than anything that can have flowed meanwhile."""
        most_wh = self.limits.most_wh(self.readings[i].read_ms - self.readings[j].read_ms)
        # The outer ones first: they nearly always tell already
        return i - j > 1 and all(
            self._apart_wh(j, n) > most_wh and self._apart_wh(n, i) > most_wh for n in (i - 1, *range(j + 1, i - 1))
        )

    def _apart_wh(self, j: int, i: int) -> int:
        a, b = self.readings[j], self.readings[i]
        return max(abs(b.import_wh - a.import_wh), abs(b.export_wh - a.export_wh))

    def is_stale(self, j: int, i: int) -> bool:
        """Whether all between repeat ``j``'s registers, while the power flowed that brought them to those of ``i``."""
        if self.same_until[j] < i - 1:
            return False
        power_wh, growth_wh = (self.power_wms[i] - self.power_wms[j]) // 3_600_000, self.growth_wh(j, i)
        is_alike = max(power_wh, growth_wh) <= POWER_RATIO * min(power_wh, growth_wh)
        return is_alike and growth_wh > self.limits.tolerance_wh


def cheapest_way(
    readings: Sequence[MeterReading],
    signed: Sequence[MeterEvent | None],
    limits: "Limits",
    *,
    is_whole: bool,
) -> list[tuple[int, bool]]:
    """Returns the numbers of the readings to keep, in order, and whether each opens a new run.

    ``signed`` has the event that opens at each reading. Unless ``is_whole``, the first reading is kept in any case.
    A reading left out costs ``LEFT_OUT_COST`` and a new run that no event explains ``NEW_RUN_COST``. Readings far aside
    of a run cost at most ``RETURN_COST``, so that ten zeros in a row are no reset when the old registers go on after
    them, even if a gateway took them for one.
    """
    searched = _prepared(readings, signed, limits)
    count = len(readings)
    contradicted = {n for n in range(1, count) if not searched.follows(n - 1, n)}
    # Keeping all readings costs a new run at each contradiction at most: no other way leaves more out than that is
    # worth, unless it returns, and a way returns at a contradiction only
    reach = 1 + len(contradicted) * NEW_RUN_COST // LEFT_OUT_COST
    best: list[_Step] = []
    for i in range(count):
        earliest = 0 if i in contradicted else max(0, i - reach)
        ways = [_Step(LEFT_OUT_COST * i, 0, -1, signed[i] is not None)] if is_whole or i == 0 else []
        ways += [way for j in range(earliest, i) for way in _ways(searched, best[j], j, i)]
        best.append(min(ways))
    at = min(range(count), key=lambda i: (best[i].cost + LEFT_OUT_COST * (count - 1 - i), best[i].energy_wh, i))
    way: list[tuple[int, bool]] = []
    while at >= 0:
        way.append((at, best[at].opens))
        at = best[at].before
    return way[::-1]


def _ways(searched: _Readings, so_far: _Step, j: int, i: int) -> list[_Step]:
    """Returns the ways to keep ``i`` next after ``j``."""
    each = LEFT_OUT_COST * (i - j - 1)
    is_opened, follows = searched.is_opened(j, i), searched.follows(j, i)
    ways: list[_Step] = []
    if is_opened:
        ways.append(_Step(so_far.cost + each, so_far.energy_wh, j, opens=True))
    elif not follows:
        ways.append(_Step(so_far.cost + each + NEW_RUN_COST, so_far.energy_wh, j, opens=True))
    if follows and not (is_opened and searched.may_be_another(j, i)):
        returns = searched.is_aside(j, i)
        if returns or not is_opened:
            at_most = RETURN_COST if returns or searched.is_stale(j, i) else each
            energy_wh = so_far.energy_wh + searched.growth_wh(j, i)
            ways.append(_Step(so_far.cost + min(each, at_most), energy_wh, j, opens=False))
    return ways


def _prepared(
    readings: Sequence[MeterReading],
    signed: Sequence[MeterEvent | None],
    limits: "Limits",
) -> _Readings:
    events = [n for n, event in enumerate(signed) if event is not None]
    other_meter = [n for n, event in enumerate(signed) if event is not None and event.event.event in OTHER_METER]
    products = [abs(a.active_power_w or 0) * max(0, b.read_ms - a.read_ms) for a, b in pairwise(readings)]
    same_until = list(range(len(readings)))
    for n in range(len(readings) - 2, -1, -1):
        a, b = readings[n], readings[n + 1]
        if (a.import_wh, a.export_wh) == (b.import_wh, b.export_wh):
            same_until[n] = same_until[n + 1]
    return _Readings(readings, limits, events, other_meter, list(accumulate(products, initial=0)), same_until)
