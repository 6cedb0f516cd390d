"""The oracle's rules, and the curve that they judge, told a second time for ``second_oracle``."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import pairwise
from typing import TYPE_CHECKING

from hub.metering.intervals import Circumstances, Span
from hub.metering.readings import Decision, ExpectedMeter, MeterHistory, MeterReading
from support.day_shape import DayShape

if TYPE_CHECKING:
    from support.second_oracle import Knot

Pair = tuple[int, int]
HOUR_MS = 3_600_000
DAY_MS = 86_400_000
ACCEPTED = {"frozen", "power_disagrees", "load_exports", "both_rise", "exports_at_night"}
"""What registers show that somebody may call true."""


@dataclass(frozen=True)
class Told:
    """What the second telling says of an interval."""

    energy: Pair
    quality: str
    rules: frozenset[str]


class Curve:
    """The energy since the first reading, at any time."""

    def __init__(
        self, span: Span, meter: ExpectedMeter, knots: "list[Knot]", aside: list[MeterReading], shape: DayShape | None
    ) -> None:
        self.knots, self.aside, self.shape = knots, aside, shape
        self.near_s, self.rated_w = 2 * span.poll_period_s, meter.rated_power_w

    def gap(self, at_ms: int) -> "tuple[Knot, Knot] | None":
        """Returns the readings on both sides; None where one was taken then, or beyond the ends."""
        if any(k.at_ms == at_ms for k in self.knots):
            return None
        before, after = [k for k in self.knots if k.at_ms < at_ms], [k for k in self.knots if k.at_ms > at_ms]
        return (before[-1], after[0]) if before and after else None

    def state(self, at_ms: int) -> str:
        """Returns how the curve is known at a time: read, near, far or not at all (empty)."""
        if any(k.at_ms == at_ms for k in self.knots):
            return "read"
        gap = self.gap(at_ms)
        if gap is None:
            return ""
        return "near" if gap[1].is_known and self.is_near(*gap) else "far"

    def is_near(self, a: "Knot", b: "Knot") -> bool:
        """Whether readings are at most two poll periods apart."""
        return b.reading.slot_s - a.reading.slot_s <= self.near_s

    def value(self, at_ms: int) -> Pair:
        """Returns import and export at a time, rounded down; beyond the ends those of the ends."""
        if not self.knots:
            return 0, 0
        gap = self.gap(at_ms)
        if gap is None:
            here = [k for k in self.knots if k.at_ms == at_ms]
            end = here[0] if here else self.knots[-1] if at_ms > self.knots[-1].at_ms else self.knots[0]
            return end.total
        a, b = gap
        parts = [self.part(a, b, way, at_ms) for way in (0, 1)]
        return a.total[0] + parts[0], a.total[1] + parts[1]

    def part(self, a: "Knot", b: "Knot", way: int, at_ms: int) -> int:
        """Returns the energy of a gap up to a time: filled up like vessels that hold the rated power."""
        total = Fraction(b.total[way] - a.total[way])
        cells = self.cells(a, b, way, at_ms)
        lengths = [until - since for since, until, _ in cells]
        holds = [Fraction(self.rated_w * ms, HOUR_MS) for ms in lengths]
        weights = [weight * ms for (_, _, weight), ms in zip(cells, lengths, strict=True)]
        if total >= sum(holds):
            weights, holds = lengths, [total] * len(cells)
        filled = [Fraction(0)] * len(cells)
        while (rest := total - sum(filled)) > 0:
            open_ = [n for n, weight in enumerate(weights) if weight and filled[n] < holds[n]]
            if not open_:
                weights = [ms if filled[n] < holds[n] else 0 for n, ms in enumerate(lengths)]
                if not any(weights):
                    break
                holds = [hold if filled[n] else total for n, hold in enumerate(holds)]
                continue
            whole = sum(weights[n] for n in open_)
            step = min(rest, *((holds[n] - filled[n]) * whole / weights[n] for n in open_))
            for n in open_:
                filled[n] += step * weights[n] / whole
        return int(sum(wh for wh, (_, until, _) in zip(filled, cells, strict=True) if until <= at_ms))

    @staticmethod
    def evenly(_: int) -> int:
        """Returns the weight of any time without power or shape."""
        return 1

    def cells(self, a: "Knot", b: "Knot", way: int, at_ms: int) -> list[tuple[int, int, int]]:
        """Returns the parts of a gap with equal weights, cut at ``at_ms``."""
        marks = {a.at_ms, b.at_ms, at_ms}
        weigh: Callable[[int], int] = self.evenly
        if not self.is_near(a, b):
            read = [a.reading, *(r for r in self.aside if a.at_ms < r.read_ms < b.at_ms)]
            times = [a.at_ms, *(r.read_ms for r in read[1:])]
            ends = [*times[1:], b.at_ms]
            powers = [int(r.active_power_w or 0) * (1 - 2 * way) for r in read]
            whole = sum(max(0, w) * (y - x) for w, x, y in zip(powers, times, ends, strict=True)) // HOUR_MS
            grown = b.total[way] - a.total[way]
            sound = all(r.active_power_w is not None for r in read) and whole <= 3 * grown and grown <= 3 * whole
            if sound and all(y - x <= 1000 * self.near_s for x, y in zip(times, ends, strict=True)):
                marks |= set(times)

                def by_power(ms: int) -> int:
                    return max(0, powers[max(n for n, t in enumerate(times) if t <= ms)])

                weigh = by_power

            elif self.shape is not None:
                day = self.shape.export_weights if way else self.shape.import_weights
                if any(day):
                    step = DAY_MS // len(day)
                    marks |= {ms for ms in range(a.at_ms // step * step, b.at_ms, step) if ms > a.at_ms}

                    def by_day(ms: int) -> int:
                        return day[ms % DAY_MS // step]

                    weigh = by_day

        ordered = sorted(marks)
        return [(x, y, weigh(x)) for x, y in pairwise(ordered)]


def judged(
    span: Span,
    meter: ExpectedMeter,
    history: MeterHistory,
    why: dict[bytes, str],
    knots: "list[Knot]",
    curve: Curve,
    rounding: int,
    circumstances: Circumstances,
) -> Told:
    """Returns energy, quality and rules of an interval."""
    begin, end, poll = span.start_s * 1000, span.end_s * 1000, span.poll_period_s
    old, new = curve.value(begin), curve.value(end)
    energy = new[0] - old[0], new[1] - old[1]
    unknown = end - begin - covered(knots, begin, end)
    in_span = [r for r in history.readings if span.start_s <= r.slot_s <= span.end_s]
    rules = {why[r.reading_id] for r in in_span if r.reading_id in why}
    happened = [b for a, b in pairwise(knots) if b.happened and touches(knots, a, b, begin, end)]
    rules |= {b.happened for b in happened} - {"unseen_event", "unexplained"}
    rules |= {"unseen_event"} if any(not b.is_known for b in happened) else set()
    edges = {curve.state(begin), curve.state(end)}
    rules |= {"boundary_interpolated"} if "near" in edges else set()
    rules |= {"boundary_shared"} if "far" in edges else set()
    rules |= {"not_measured"} if unknown else set()
    read = around(knots, begin, end)
    if any(r.time_quality in "UR" for r in read):
        rules.add("clock")
    if any(r.flags & 6 for r in read):
        rules.add("meter_clock")
    if any(r.read_ms - 1000 * r.slot_s > max(1000, 500 * poll) for r in read):
        rules.add("read_late")
    if len(read) < 2 or any(b.slot_s - a.slot_s > 2 * poll for a, b in pairwise(read)):
        rules.add("gap")
    rated = meter.rated_power_w * span.length_s // 3600
    most = rated * 6 // 5 + rounding - 1
    if max(energy) > most:
        rules.add("rated_power")
    little, noise = max(50, rated // 50, rounding), max(10, rated // 200, rounding)
    rules |= by_power(read, energy, span, meter, little)
    if meter.kind == "load" and energy[1] > noise:
        rules.add("load_exports")
    if meter.kind in {"load", "generation"} and min(energy) > little:
        rules.add("both_rise")
    if meter.kind == "generation" and circumstances.sun_is_up is False and energy[1] > noise:
        rules.add("exports_at_night")

    def judge(rules: set[str]) -> Told:
        return estimated(span, rules, energy, unknown, rated, most, circumstances.typical_wh)

    return as_decided(span, history.decisions, rules, judge)


def as_decided(span: Span, decisions: Sequence[Decision], rules: set[str], judge: Callable[[set[str]], Told]) -> Told:
    """Returns what is billed after the last word that somebody said about the whole interval."""
    about = [d for d in decisions if d.start_s <= span.start_s < span.end_s <= d.end_s]
    last_word = about[-1] if about else None
    if last_word is not None and last_word.kind == "accept":
        told = judge(rules - ACCEPTED)
        return Told(told.energy, told.quality, frozenset(rules | {"accepted"}))
    if last_word is not None and last_word.energy is not None:
        whole = last_word.end_s - last_word.start_s
        until, since = (
            [
                int(Fraction(wh * (s - last_word.start_s), whole))
                for wh in (last_word.energy.import_wh, last_word.energy.export_wh)
            ]
            for s in (span.end_s, span.start_s)
        )
        return Told((until[0] - since[0], until[1] - since[1]), "estimated", frozenset(rules | {"replaced"}))
    return judge(rules)


def estimated(
    span: Span, rules: set[str], energy: Pair, unknown: int, rated: int, most: int, typical: int | None
) -> Told:
    """Returns the energy as it is billed."""
    no_credit = rules & {"rated_power", "power_disagrees", "load_exports", "both_rise", "exports_at_night"}
    doubtful = rules & {"unseen_event", "boundary_shared", "not_measured", "frozen"}
    if not no_credit and not doubtful:
        return Told(energy, "valid", frozenset(rules))
    import_wh, export_wh = (wh if wh <= most else rated for wh in energy)
    if typical is not None and import_wh < rated:
        import_wh = min(rated, import_wh + typical * unknown // (1000 * span.length_s))
    quality = "missing" if typical is None and unknown == 1000 * span.length_s else "estimated"
    return Told((import_wh, 0 if no_credit else export_wh), quality, frozenset(rules))


def covered(knots: "list[Knot]", begin: int, end: int) -> int:
    """Returns how many ms of an interval lie between readings with known energy."""
    pairs = pairwise(knots)
    return sum(max(0, min(end, b.at_ms) - max(begin, a.at_ms)) for a, b in pairs if b.is_known)


def touches(knots: "list[Knot]", a: "Knot", b: "Knot", begin: int, end: int) -> bool:
    """Whether something that happened between two readings may have happened in the interval."""
    if begin < b.at_ms <= end:
        return True
    return b.at_ms > end > a.at_ms and b is next(k for k in knots if k.at_ms > end)


def around(knots: "list[Knot]", begin: int, end: int) -> list[MeterReading]:
    """Returns the readings in an interval, with the neighbours of its ends where none was taken there."""
    inside = [k for k in knots if begin <= k.at_ms <= end]
    before, after = [k for k in knots if k.at_ms < begin], [k for k in knots if k.at_ms > end]
    if not any(k.at_ms == begin for k in knots):
        inside = before[-1:] + inside
    if not any(k.at_ms == end for k in knots):
        inside += after[:1]
    return [k.reading for k in inside]


def by_power(read: Sequence[MeterReading], energy: Pair, span: Span, meter: ExpectedMeter, little: int) -> set[str]:
    """Returns the rules that compare registers and power."""
    rules = set()
    powers = [r.active_power_w for r in read]
    steps = pairwise(powers)
    if any(None not in (a, b) and abs((b or 0) - (a or 0)) > meter.rated_power_w * 12 // 5 for a, b in steps):
        rules.add("power_jumped")
    held = [
        (a.active_power_w, b.read_ms - a.read_ms)
        for a, b in pairwise(read)
        if a.active_power_w is not None and b.read_ms - a.read_ms <= 2000 * span.poll_period_s
    ]
    seen = sum(ms for _, ms in held)
    if seen <= 0 or seen < 1000 * (span.length_s - 2 * span.poll_period_s):
        return rules
    power = sum(max(0, w) * ms for w, ms in held) // HOUR_MS, sum(max(0, -w) * ms for w, ms in held) // HOUR_MS
    if max(energy) == 0 and len(read) >= 3 and max(power) > 2 * little:
        rules.add("frozen")
    far = any(p > 3 * (e + little) or e > 3 * (p + little) for p, e in zip(power, energy, strict=True))
    if max(energy) > 0 and far:
        rules.add("power_disagrees")
    return rules
