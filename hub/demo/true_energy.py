"""From served registers to each meter's energy in each interval, told a second time: slow, simple, no code of the hub.

It says as well what nobody can know from the readings: how far an estimate may be from it, and over which intervals
together the energy is exact all the same.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import pairwise

from hub.demo.served_log import CHANGES, MISCOUNTS, Fault, LogEntry, Slots, faults_of, slots_of

OVERLOAD = Fraction(12, 10)
"""A meter bears so much of its rated power for a while."""
TOLERANCE_WH = 100
"""Registers that a meter renews now and then may be so far behind."""
WIDTHS_WH = (10**6, 10**7, 10**8, 10**9, 2**32, 10**10, 10**11)
"""Where counters begin again at 0."""


@dataclass(frozen=True)
class MeterTruth:
    """One meter's energy in one interval; quality is valid, estimated, missing, or any of these.

    Where it is not ``known``, these are the Wh of a simple guess, and every energy between the least and the most is
    right.
    """

    import_wh: int
    export_wh: int
    quality: str
    known: bool = True
    least_import_wh: int = 0
    least_export_wh: int = 0
    most_import_wh: int = 0
    most_export_wh: int = 0


@dataclass(frozen=True)
class Total:
    """A meter's energy over intervals of which single ones are not known; their starts in s since 1970."""

    meter: str
    starts_s: tuple[int, ...]
    import_wh: int
    export_wh: int


@dataclass(frozen=True)
class Meter:
    """A meter: its rated power, and the time in s since 1970 from which intervals wait for it."""

    rated_power_w: int
    expected_from_s: int = 0


@dataclass(frozen=True)
class Times:
    """How long an interval is and how often meters are read, in s; ``own_clocks``: publications have devices' times."""

    interval_s: int
    poll_period_s: int
    own_clocks: bool = True


@dataclass(frozen=True)
class Energies:
    """Every meter's energy by interval start (s since 1970) and meter, and what is exact over several intervals."""

    by_start: dict[int, dict[str, MeterTruth]]
    totals: list[Total]


@dataclass(frozen=True)
class Point:
    """A reading: the time it stands for (ms), its slot, and Wh since the first; ``sure``: what led there is known."""

    at_ms: int
    slot: int
    import_wh: int
    export_wh: int
    sure: bool


@dataclass(frozen=True)
class Boundary:
    """The Wh since the first reading at the end of an interval; ``near``: read there, or near it on both sides.

    ``crisp``: it is exact to the Wh as well. It is not where a neighbour was read late, for log and gateway may differ
    by some milliseconds in when that was.
    """

    import_wh: int
    export_wh: int
    near: bool
    crisp: bool


def energies(
    log: Iterable[LogEntry], meters: Mapping[str, Meter], times: Times, first_start_s: int, last_start_s: int
) -> Energies:
    """Returns the energy of every meter in the intervals from the first start to the last.

    A meter is in the intervals that start at or after the time from which it is expected.
    """
    log = list(log)
    starts = range(first_start_s, last_start_s + 1, times.interval_s)
    result = Energies({start_s: {} for start_s in starts}, [])
    for name, meter in meters.items():
        faults = faults_of(log, name)
        slots = slots_of(log, name, times.poll_period_s, own_clocks=times.own_clocks)
        points = points_of(slots, faults, times.poll_period_s, meter.rated_power_w)
        own = [start_s for start_s in starts if start_s >= meter.expected_from_s]
        for start_s in own:
            result.by_start[start_s][name] = energy_of(points, faults, start_s, times, meter.rated_power_w)
        result.totals.extend(_totals(name, points, faults, own, times))
    return result


def points_of(slots: Slots, faults: Sequence[Fault], poll_period_s: int, rated_power_w: int) -> list[Point]:
    """Adds the energy up from reading to reading; where the registers were changed, only a rollover tells how much."""
    points: list[Point] = []
    registers = [(slot, *read) for slot, read in sorted(slots.items())]
    for number, (slot, read_ms, import_wh, export_wh) in enumerate(registers):
        at_ms = _placed_ms(slot, read_ms, poll_period_s)
        if number == 0:
            points.append(Point(at_ms, slot, 0, 0, sure=True))
            continue
        before = registers[number - 1]
        grown = [import_wh - before[2], export_wh - before[3]]
        changes = {fault.kind for fault in faults if fault.kind in CHANGES and _lies_between(fault, before[1], read_ms)}
        most_wh = rated_power_w * OVERLOAD * (read_ms - before[1]) / 3_600_000 + TOLERANCE_WH
        if changes == {"rollover"}:
            grown = [_rolled_over(wh, old, most_wh) for wh, old in zip(grown, before[2:], strict=True)]
            changes = set()
        elif changes == {"reset"} and slot - before[0] <= 2 * poll_period_s:
            # what was counted since is seen, and what was counted up to it is lost
            grown = [new if wh < 0 else wh for wh, new in zip(grown, (import_wh, export_wh), strict=True)]
            changes = {"reset"} if max(grown) > most_wh else set()
        sure = min(grown) >= 0 and not changes - {"power_cut"}
        last = points[-1]
        grown = grown if sure else [0, 0]
        points.append(Point(at_ms, slot, last.import_wh + grown[0], last.export_wh + grown[1], sure))
    return points


def _lies_between(fault: Fault, before_ms: int, read_ms: int) -> bool:
    """Whether the registers change between two readings; after a power cut they do when the power is back."""
    moment_ms = fault.from_ms if fault.kind != "power_cut" else fault.to_ms
    return moment_ms is not None and before_ms // 1000 * 1000 < moment_ms <= read_ms


def _rolled_over(grown_wh: int, old_wh: int, most_wh: Fraction) -> int:
    ways = (grown_wh + width_wh for width_wh in WIDTHS_WH if old_wh < width_wh)
    return grown_wh if grown_wh >= 0 else next((wh for wh in ways if 0 <= wh <= most_wh), grown_wh)


def _placed_ms(slot: int, read_ms: int, poll_period_s: int) -> int:
    """Returns the time that a reading stands for: its slot when it was read soon after it, else when it was read."""
    return slot * 1000 if abs(read_ms - slot * 1000) <= max(1000, poll_period_s * 250) else read_ms


def at_boundary(points: Sequence[Point], at_s: int, poll_period_s: int) -> Boundary | None:
    """Returns the energy at a boundary, read there or on the line between its neighbours; None without neighbours."""
    here = [point for point in points if point.at_ms == at_s * 1000]
    if here:
        return Boundary(here[0].import_wh, here[0].export_wh, near=True, crisp=True)
    earlier = [point for point in points if point.at_ms < at_s * 1000]
    later = [point for point in points if point.at_ms > at_s * 1000]
    if not earlier or not later:
        return None
    before, after = earlier[-1], later[0]
    near = after.slot - before.slot <= 2 * poll_period_s and after.sure
    on_slots = before.at_ms % 1000 == 0 == after.at_ms % 1000
    fraction = Fraction(at_s * 1000 - before.at_ms, after.at_ms - before.at_ms)
    return Boundary(
        before.import_wh + int((after.import_wh - before.import_wh) * fraction // 1),
        before.export_wh + int((after.export_wh - before.export_wh) * fraction // 1),
        near=near,
        crisp=near and on_slots,
    )


def energy_of(
    points: Sequence[Point], faults: Sequence[Fault], start_s: int, times: Times, rated_power_w: int
) -> MeterTruth:
    """Returns a meter's energy in an interval.

    Where an end lies before the first reading or after the last, only what lies between was measured.
    """
    end_s = start_s + times.interval_s
    start, end = (at_boundary(points, at_s, times.poll_period_s) for at_s in (start_s, end_s))
    rated_wh = rated_power_w * times.interval_s // 3600
    inside = [point for point in points if start_s * 1000 <= point.at_ms <= end_s * 1000]
    first, last = start or (inside[0] if inside else None), end or (inside[-1] if inside else None)
    if first is None or last is None:
        return MeterTruth(0, 0, "missing", known=False, most_import_wh=rated_wh)
    imported, exported = last.import_wh - first.import_wh, last.export_wh - first.export_wh
    unknown = rated_power_w * _unknown_ms(points, start_s * 1000, end_s * 1000) // 3_600_000
    near = start is not None and end is not None and start.near and end.near
    miscounts = any(f.kind in MISCOUNTS and f.overlaps(start_s * 1000, end_s * 1000) for f in faults)
    if near and not unknown and not miscounts:
        loose = sum(boundary is not None and not boundary.crisp for boundary in (start, end))
        limits = (imported - loose, exported - loose, imported + loose, exported + loose) if loose else ()
        return MeterTruth(imported, exported, "valid", not loose, *limits)
    most_wh = int(rated_wh * OVERLOAD)
    is_share = start is not None and end is not None and not near
    return MeterTruth(
        min(imported, rated_wh),
        min(exported, rated_wh),
        "any" if near else "estimated",
        known=False,
        least_import_wh=0 if is_share or miscounts else min(imported, rated_wh),
        least_export_wh=0 if is_share or miscounts else min(exported, rated_wh),
        most_import_wh=most_wh if is_share else min(imported + unknown, most_wh),
        most_export_wh=most_wh if is_share else exported,
    )


def _unknown_ms(points: Sequence[Point], start_ms: int, end_ms: int) -> int:
    """Returns how much of [start, end) no readings tell of: before and after them all, and where registers changed."""
    if not points:
        return end_ms - start_ms
    spans = [(start_ms, points[0].at_ms), (points[-1].at_ms, end_ms)]
    spans += [(before.at_ms, after.at_ms) for before, after in pairwise(points) if not after.sure]
    return sum(max(0, min(until, end_ms) - max(since, start_ms)) for since, until in spans)


def _totals(
    name: str, points: Sequence[Point], faults: Sequence[Fault], starts: Sequence[int], times: Times
) -> list[Total]:
    """Returns the totals between crisp boundaries that lie more than an interval apart, where all of it is known."""
    totals: list[Total] = []
    open_s: list[int] = []
    first: Boundary | None = None
    for start_s in starts:
        begin, end = (at_boundary(points, at_s, times.poll_period_s) for at_s in (start_s, start_s + times.interval_s))
        if begin is not None and begin.crisp:
            first, open_s = begin, []
        open_s.append(start_s)
        if first is None or end is None or not end.crisp or len(open_s) == 1:
            continue
        since_ms, until_ms = open_s[0] * 1000, (start_s + times.interval_s) * 1000
        miscounts = any(f.kind in MISCOUNTS and f.overlaps(since_ms, until_ms) for f in faults)
        if not miscounts and not _unknown_ms(points, since_ms, until_ms):
            grown = end.import_wh - first.import_wh, end.export_wh - first.export_wh
            totals.append(Total(name, tuple(open_s), *grown))
    return totals
