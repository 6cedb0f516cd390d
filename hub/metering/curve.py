"""A meter's energy as a curve over time, pure: the runs of its counter laid end to end across the events between them.

The energy of an interval is the difference of the curve at its two ends. So intervals that touch sum up exactly to the
energy between their outer ends, however it was shared out inside. ``intervals`` asks for the ends.
"""

from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

from hub.metering.breaks import Break, Edges, break_between
from hub.metering.readings import MeterReading
from hub.metering.runs import Limits, Run
from hub.metering.sharing import W_MS_PER_WH, Piece, Spread, part_wh
from hub.metering.ways import POWER_RATIO
from hub.units import Wh

IMPORT, EXPORT = 0, 1


@dataclass(frozen=True, slots=True)
class Point:
    """A reading on the curve; its energy counts from the first reading, in Wh.

    ``at_ms`` is its slot when it was read within a quarter of a poll period of it, and otherwise when it was read.
    """

    reading: MeterReading
    at_ms: int
    import_wh: int
    export_wh: int
    arrived_by: Break | None
    """The break before it; None within a run."""


@dataclass(frozen=True, slots=True)
class Boundary:
    """The curve at one moment.

    ``read``: a reading was taken there. ``valid``: so, or between neighbours at most two poll periods apart.
    ``complete``: no reading that has not arrived yet could change it. ``reading_id``: the reading there, or the earlier
    neighbour.
    """

    import_wh: Wh
    export_wh: Wh
    read: bool
    valid: bool
    complete: bool
    reading_id: bytes


@dataclass(frozen=True, slots=True)
class Between:
    """What is known of the time between two readings that count, to share out energy in a long gap.

    ``powers``: readings whose registers do not count, in order of time. ``settled``: the boot and sequence of each of
    them about which nothing more will be known.
    """

    shape: Spread | None = None
    powers: Sequence[MeterReading] = ()
    settled: frozenset[tuple[bytes, int]] = frozenset()


NOTHING_BETWEEN = Between()


class Curve:
    """The points of a meter's runs, in order of time."""

    def __init__(
        self, runs: Sequence[Run], limits: Limits, poll_period_s: int, between: Between = NOTHING_BETWEEN
    ) -> None:
        self._limits, self._between = limits, between
        self._max_apart_s = 2 * poll_period_s
        self._near_slot_ms = max(1000, poll_period_s * 250)
        self._serial = ""
        self._values: dict[int, tuple[int, int]] = {}
        self.points: list[Point] = []
        for run in runs:
            for number, reading in enumerate(run.readings):
                self._append(run, reading, opens_run=number == 0)
        self._times_ms = [point.at_ms for point in self.points]

    def _append(self, run: Run, reading: MeterReading, *, opens_run: bool) -> None:
        slot_ms = reading.slot_s * 1000
        at_ms = slot_ms if abs(reading.read_ms - slot_ms) <= self._near_slot_ms else reading.read_ms
        serial_before = self._serial
        if opens_run and run.event is not None:
            self._serial = run.event.event.serial or self._serial
        if not self.points:
            self.points.append(Point(reading, at_ms, 0, 0, None))
            return
        last = self.points[-1]
        gap = None
        if opens_run:
            edges = Edges(last.reading, reading, serial_before, self._is_near(last.reading, reading))
            gap = break_between(edges, run.event, self._limits)
            grown = gap.import_wh, gap.export_wh
        else:
            grown = reading.import_wh - last.reading.import_wh, reading.export_wh - last.reading.export_wh
        at_ms = max(at_ms, last.at_ms)
        self.points.append(Point(reading, at_ms, last.import_wh + grown[0], last.export_wh + grown[1], gap))

    def _is_near(self, a: MeterReading, b: MeterReading) -> bool:
        """Whether two readings are at most two poll periods apart.

        That is told by their slots, so that a reply that is a few milliseconds late does not turn one missed slot into
        an estimate.
        """
        return b.slot_s - a.slot_s <= self._max_apart_s

    def boundary(self, at_s: int) -> Boundary | None:
        """Returns the curve at ``at_s`` (s since 1970), rounded down; None before and after its readings."""
        at_ms = at_s * 1000
        after = bisect_left(self._times_ms, at_ms)
        if after == len(self.points) or (after == 0 and self._times_ms[0] != at_ms):
            return None
        b = self.points[after]
        if b.at_ms == at_ms:
            return Boundary(Wh(b.import_wh), Wh(b.export_wh), True, True, True, b.reading.reading_id)
        a = self.points[after - 1]
        valid = self._is_near(a.reading, b.reading) and (b.arrived_by is None or b.arrived_by.known)
        import_wh, export_wh = self._inside(a, b, at_ms)
        complete = valid and self._are_consecutive(a, b)
        return Boundary(Wh(import_wh), Wh(export_wh), False, valid, complete, a.reading.reading_id)

    def _are_consecutive(self, a: Point, b: Point) -> bool:
        """Whether the gateway took no reading between them that may still come, or come to count."""
        boot, first, last = a.reading.boot_id, a.reading.meter_sequence, b.reading.meter_sequence
        missing = last - first - 1
        return (
            boot == b.reading.boot_id
            and 0 <= missing <= len(self._between.settled)
            and all((boot, sequence) in self._between.settled for sequence in range(first + 1, last))
        )

    def measured_wh(self, start_s: int, end_s: int) -> tuple[int, int]:
        """Returns the import and export that was measured in the part of [start, end) that the curve covers, in Wh."""
        begin, end = self._value(start_s * 1000), self._value(end_s * 1000)
        return end[0] - begin[0], end[1] - begin[1]

    def _value(self, at_ms: int) -> tuple[int, int]:
        """Returns import and export at a time; before and after the curve those of its ends."""
        if not self.points:
            return 0, 0
        after = bisect_left(self._times_ms, at_ms)
        if after in (0, len(self.points)):
            end = self.points[max(0, after - 1)]
            return end.import_wh, end.export_wh
        return self._inside(self.points[after - 1], self.points[after], at_ms)

    def _inside(self, a: Point, b: Point, at_ms: int) -> tuple[int, int]:
        """Returns import and export between two points: the gap's energy is shared out by power, shape or evenly."""
        if b.at_ms <= at_ms:
            return b.import_wh, b.export_wh
        if at_ms not in self._values:
            self._values[at_ms] = (
                a.import_wh + self._part(a, b, at_ms, IMPORT), a.export_wh + self._part(a, b, at_ms, EXPORT)
            )  # fmt: skip
        return self._values[at_ms]

    def _part(self, a: Point, b: Point, at_ms: int, direction: int) -> int:
        pieces, grown_wh = self._pieces(a, b, direction), _grown_wh(a, b, direction)
        if len(pieces) == 1:
            return grown_wh * (at_ms - a.at_ms) // (b.at_ms - a.at_ms)
        return part_wh(grown_wh, pieces, at_ms, self._limits.rated_power_w)

    def _pieces(self, a: Point, b: Point, direction: int) -> Sequence[Piece]:
        evenly = [Piece(a.at_ms, b.at_ms, 1)]
        if self._is_near(a.reading, b.reading):
            return evenly
        by_power = self._by_power(a, b, direction)
        grown_wh = _grown_wh(a, b, direction)
        power_wh = sum(p.weight * (p.until_ms - p.since_ms) for p in by_power) // W_MS_PER_WH
        # The powers of a meter that gave zeros may be zeros too: they must explain what was counted
        if by_power and max(power_wh, grown_wh) <= POWER_RATIO * min(power_wh, grown_wh):
            return by_power
        shape = self._between.shape
        return (shape.pieces(direction, a.at_ms, b.at_ms) if shape is not None else ()) or evenly

    def _by_power(self, a: Point, b: Point, direction: int) -> list[Piece]:
        """Returns the gap as pieces of the power that was read in it; none when it was not read all along."""
        read = [a.reading, *(r for r in self._between.powers if a.at_ms < r.read_ms < b.at_ms)]
        times_ms = [a.at_ms, *(r.read_ms for r in read[1:]), b.at_ms]
        if any(until - since > self._max_apart_s * 1000 for since, until in pairwise(times_ms)):
            return []
        powers = [r.active_power_w for r in read]
        if any(power is None for power in powers):
            return []
        sign = -1 if direction == EXPORT else 1
        return [
            Piece(since, until, max(0, sign * (power or 0)))
            for (since, until), power in zip(pairwise(times_ms), powers, strict=True)
        ]

    def unknown_ms(self, start_s: int, end_s: int) -> int:
        """Returns how much of [start, end) nobody measured: before and after the curve, and in unknown breaks."""
        start_ms, end_ms = start_s * 1000, end_s * 1000
        if not self.points:
            return end_ms - start_ms
        spans = [(start_ms, min(end_ms, self._times_ms[0])), (max(start_ms, self._times_ms[-1]), end_ms)]
        for a, b in pairwise(self.points):
            if b.arrived_by is not None and not b.arrived_by.known:
                spans.append((max(start_ms, a.at_ms), min(end_ms, b.at_ms)))
        return sum(max(0, until - since) for since, until in spans)

    def breaks(self, start_s: int, end_s: int) -> list[Break]:
        """Returns the breaks that touch [start, end), in order of time."""
        begin, end = bisect_right(self._times_ms, start_s * 1000), bisect_right(self._times_ms, end_s * 1000)
        if end == 0 or self._times_ms[end - 1] != end_s * 1000:
            end += 1
        return [point.arrived_by for point in self.points[begin:end] if point.arrived_by is not None]

    def readings(self, start_s: int, end_s: int) -> list[MeterReading]:
        """Returns the readings in [start, end], and where none was taken at an end, the neighbour beyond it."""
        begin, end = bisect_left(self._times_ms, start_s * 1000), bisect_right(self._times_ms, end_s * 1000)
        if begin == len(self.points) or self._times_ms[begin] != start_s * 1000:
            begin = max(0, begin - 1)
        if end == 0 or self._times_ms[end - 1] != end_s * 1000:
            end += 1
        return [point.reading for point in self.points[begin:end]]


def _grown_wh(a: Point, b: Point, direction: int) -> int:
    return b.export_wh - a.export_wh if direction == EXPORT else b.import_wh - a.import_wh
