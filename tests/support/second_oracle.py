"""The energy of a meter's interval, told a second time from the design: every way to read a history is tried.

For histories of about ten readings. Shares no code with ``hub.metering`` but its values.
"""

from collections.abc import Sequence
from fractions import Fraction
from itertools import combinations, pairwise
from typing import NamedTuple

from hub.metering.intervals import Circumstances, Span
from hub.metering.readings import Decision, ExpectedMeter, MeterEvent, MeterHistory, MeterReading
from support import second_rules
from support.day_shape import DayShape
from support.second_rules import Told

Pair = tuple[int, int]
WIDTHS = [1_000_000, 10_000_000, 100_000_000, 1_000_000_000, 4_294_967_296, 10_000_000_000, 100_000_000_000]
WEEK_AND_A_DAY_S = 691_200


class Knot(NamedTuple):
    """A reading that counts: when, how much since the first one, and what happened since the one before."""

    reading: MeterReading
    at_ms: int
    total: Pair
    happened: str
    is_known: bool


def tell(span: Span, meter: ExpectedMeter, history: MeterHistory, circumstances: Circumstances) -> Told:
    """Returns energy, quality and the ids of the rules of an interval."""
    readings = sorted(history.readings, key=lambda r: (r.read_ms, r.meter_sequence, r.reading_id))
    events = sorted(history.events, key=lambda e: (e.entered, e.event.slot_s))
    why = doubts(readings, events, {r.reading_id for r in readings if taken_as_good(history.decisions, r.slot_s)})
    counting = [r for r in readings if r.reading_id not in why]
    teller = Teller(span, meter, counting, events, circumstances)
    steps = teller.best_way()
    why |= {r.reading_id: teller.broken(r, [counting[n] for n, _ in steps]) for r in teller.left_out(steps)}
    knots = teller.knots(steps)
    aside = [r for r in readings if why.get(r.reading_id) not in (None, "clock", "range")]
    return second_rules.judged(
        span, meter, history, why, knots, teller.at(knots, aside), teller.rounding, circumstances
    )


def taken_as_good(decisions: Sequence[Decision], slot_s: int) -> bool:
    """Whether somebody's last word about the second before or after a reading is that it is good."""
    last_words = {"before": "", "after": ""}
    for d in decisions:
        seconds = range(d.start_s, d.end_s)
        last_words |= {side: d.kind for side, s in (("before", slot_s - 1), ("after", slot_s)) if s in seconds}
    return "accept" in last_words.values()


def doubts(readings: list[MeterReading], events: list[MeterEvent], good: set[bytes]) -> dict[bytes, str]:
    """Returns why readings do not count, by id; ``good`` are those that somebody accepted."""
    why: dict[bytes, str] = {}
    for r in readings:
        if r.doubt == "range" or (r.doubt and r.reading_id not in good):
            why[r.reading_id] = r.doubt
        elif not (0 <= r.import_wh <= 10**12 and 0 <= r.export_wh <= 10**12):
            why[r.reading_id] = "range"
        elif r.time_quality == "R" or not -600_000 <= r.read_ms - 1000 * r.slot_s <= 600_000:
            why[r.reading_id] = "clock"
    sound = [r for r in readings if r.reading_id not in why]
    for boot in {r.boot_id for r in sound}:
        mine = sorted(
            (r for r in sound if r.boot_id == boot), key=lambda r: (r.meter_sequence, r.read_ms, r.reading_id)
        )
        in_order = max(
            (way for size in range(len(mine) + 1) for way in combinations(range(len(mine)), size) if rises(mine, way)),
            key=lambda way: (len(way), sum(mine[n].time_quality == "S" for n in way), way[::-1]),
        )
        why |= {r.reading_id: "clock" for n, r in enumerate(mine) if n not in in_order}
    for r in sound:
        said = [verdict for e in events if (verdict := says(e, r, readings)) is not None]
        fine = said[-1] if said else r.state == "G"
        if not fine and r.reading_id not in good:
            why.setdefault(r.reading_id, "misread" if said else "unconfirmed")
    return why


def rises(readings: list[MeterReading], way: tuple[int, ...]) -> bool:
    """Whether the times of these readings never fall."""
    times = [readings[n].read_ms for n in way]
    return times == sorted(times)


def says(signed: MeterEvent, r: MeterReading, readings: list[MeterReading]) -> bool | None:
    """Returns whether the event lets the reading count; None when it says nothing of it."""
    e = signed.event

    def is_in_its_time(x: MeterReading) -> bool:
        return 0 <= e.slot_s - x.slot_s <= WEEK_AND_A_DAY_S

    if not is_in_its_time(r) or r.meter_sequence not in range(e.last_sequence + 1, e.confirmed_sequence + 1):
        return None
    newest = max(
        (x for x in readings if x.meter_sequence == r.meter_sequence and is_in_its_time(x)),
        key=lambda x: (x.read_ms, x.reading_id),
    )
    return None if newest is not r else r.meter_sequence >= e.first_sequence


def taken_back(signed: MeterEvent, events: list[MeterEvent]) -> bool:
    """Whether every reading that confirmed an event lies in the wrong ones of a later event."""
    confirmed = range(signed.event.first_sequence, signed.event.confirmed_sequence + 1)
    for other in events:
        wrong = range(other.event.last_sequence + 1, other.event.first_sequence)
        waited_s = other.event.slot_s - signed.event.slot_s
        is_later = 0 <= waited_s <= WEEK_AND_A_DAY_S
        if is_later and not (signed.entered or other.entered) and confirmed and set(confirmed) <= set(wrong):
            return True
    return False


class Teller:
    """One meter's readings that count, and what is asked of them."""

    def __init__(
        self, span: Span, meter: ExpectedMeter, counting: list[MeterReading], events: list[MeterEvent], c: Circumstances
    ) -> None:
        self.span, self.meter, self.readings = span, meter, counting
        assert c.shape is None or isinstance(c.shape, DayShape), "the second telling knows the shape of a day only"
        self.shape = c.shape
        values = {r.import_wh for r in counting} | {r.export_wh for r in counting}
        values.discard(0)
        coarse = [s for s in (1000, 100, 10) if len([v for v in values if v % s == 0]) >= Fraction(3, 4) * len(values)]
        self.rounding = coarse[0] if coarse and values else 1
        self.opened: dict[int, MeterEvent] = {}
        for e in events:
            at = self.opening(e)
            if (
                at is not None
                and not taken_back(e, events)
                and (e.entered or e.event.event not in ("misread", "unexplained"))
            ):
                self.opened[at] = e

    def opening(self, signed: MeterEvent) -> int | None:
        """Returns the number of the first reading after an event."""
        e = signed.event
        newest: dict[int, int] = {}
        for n, r in enumerate(self.readings):
            in_time = 0 <= e.slot_s - r.slot_s <= WEEK_AND_A_DAY_S
            if in_time and e.first_sequence <= r.meter_sequence <= e.confirmed_sequence:
                newest[r.meter_sequence] = n
        if newest:
            return newest[min(newest)]
        later = [n for n, r in enumerate(self.readings) if r.slot_s > e.slot_s]
        return later[0] if later else None

    def most(self, a: MeterReading, b: MeterReading) -> int:
        """Returns the most Wh between two readings."""
        hours = Fraction(max(0, b.read_ms - a.read_ms), 3_600_000)
        return int(self.meter.rated_power_w * Fraction(6, 5) * hours) + max(100, self.rounding)

    def fits(self, a: MeterReading, b: MeterReading) -> bool:
        """Whether the counter can have gone on from one to the other."""
        return all(0 <= grown <= self.most(a, b) for grown in grown_between(a, b))

    def best_way(self) -> list[tuple[int, bool]]:
        """Returns the readings to keep, and whether each opens a run: the cheapest of all subsets."""
        found = []
        for size in range(1, len(self.readings) + 1):
            for way in combinations(range(len(self.readings)), size):
                outside = way[0] + len(self.readings) - 1 - way[-1]
                options: list[tuple[int, int, list[bool]]] = [(2 * outside, 0, [way[0] in self.opened])]
                for j, i in pairwise(way):
                    options = [
                        (cost + more, energy + wh, [*opens, opens_here])
                        for cost, energy, opens in options
                        for more, wh, opens_here in self.links(j, i)
                    ]
                found += [(cost, energy, way[::-1], opens[::-1]) for cost, energy, opens in options]
        if not found:
            return []
        _, _, way, opens = min(found)
        return list(zip(way[::-1], opens[::-1], strict=True))

    def links(self, j: int, i: int) -> list[tuple[int, int, bool]]:
        """Returns the costs of going from one reading to another: (cost, energy, whether a run begins)."""
        a, b, skipped = self.readings[j], self.readings[i], self.readings[j + 1 : i]
        crossed = [e.event.event for n, e in self.opened.items() if j < n <= i]
        found = []
        if crossed or not self.fits(a, b):
            found.append((2 * len(skipped) + (0 if crossed else 5), 0, True))
        if self.fits(a, b):
            far = [max(map(abs, grown_between(*s))) > self.most(a, b) for x in skipped for s in ((a, x), (x, b))]
            is_amid = bool(skipped) and all(far)
            cheap = is_amid or (bool(skipped) and self.repeats(a, skipped, b))
            if (not crossed or is_amid) and not {"first", "swap"} & set(crossed):
                cost = min(2 * len(skipped), 3) if cheap else 2 * len(skipped)
                found.append((cost, sum(grown_between(a, b)), False))
        return found

    def repeats(self, a: MeterReading, skipped: list[MeterReading], b: MeterReading) -> bool:
        """Whether old registers came again while the power flowed that explains what is counted then."""
        if any(grown_between(a, r) != (0, 0) for r in skipped):
            return False
        held = zip([a, *skipped], [*skipped, b], strict=True)
        power = sum(abs(x.active_power_w or 0) * max(0, y.read_ms - x.read_ms) for x, y in held) // 3_600_000
        grown = sum(grown_between(a, b))
        return grown > max(100, self.rounding) and power <= 3 * grown and grown <= 3 * power

    def left_out(self, steps: list[tuple[int, bool]]) -> list[MeterReading]:
        """Returns the readings that a way does not keep."""
        kept = {n for n, _ in steps}
        return [r for n, r in enumerate(self.readings) if n not in kept]

    def broken(self, r: MeterReading, kept: list[MeterReading]) -> str:
        """Returns the rule that a reading broke which was left out."""
        earlier = [k for k in kept if self.readings.index(k) < self.readings.index(r)]
        if not earlier:
            return "misread"
        grown = grown_between(earlier[-1], r)
        if grown == (0, 0):
            return "stale"
        if self.fits(earlier[-1], r):
            return "misread"
        return "counter_monotonic" if min(grown) < 0 else "rate_of_change"

    def knots(self, steps: list[tuple[int, bool]]) -> list[Knot]:
        """Returns the readings that are kept on one curve."""
        found: list[Knot] = []
        serial, last = "", -1
        for n, opens in steps:
            r = self.readings[n]
            at_ms = 1000 * r.slot_s
            if abs(r.read_ms - at_ms) > max(1000, 250 * self.span.poll_period_s):
                at_ms = r.read_ms
            crossed = [self.opened[k] for k in range(last + 1, n + 1) if k in self.opened]
            signed = crossed[-1] if opens and crossed else None
            if not found:
                found.append(Knot(r, at_ms, (0, 0), "", True))
            else:
                old = found[-1]
                name, grown = ("", grown_between(old.reading, r)) if not opens else self.across(old, r, signed, serial)
                total = old.total if grown is None else (old.total[0] + grown[0], old.total[1] + grown[1])
                found.append(Knot(r, max(at_ms, old.at_ms), total, name, grown is not None))
            serial = (signed.event.serial if signed else "") or serial
            last = n
        return found

    def across(self, old: Knot, r: MeterReading, signed: MeterEvent | None, serial: str) -> tuple[str, Pair | None]:
        """Returns what happened between two runs, and the energy where anybody can know it."""
        a, most = old.reading, self.most(old.reading, r)
        near = r.slot_s - a.slot_s <= 2 * self.span.poll_period_s
        if signed is None:
            rolled = self.rolled(a, r)
            return ("unseen_event", None) if rolled is None else ("rollover", rolled)
        e = signed.event
        name = "entered" if signed.entered else e.event
        before = e.serial_before or serial
        turned = self.rolled(a, r) if name == "reset" and near else None
        if turned is not None:
            return "rollover", turned
        other, same = bool(before and e.serial and before != e.serial), bool(e.serial) and e.serial == before
        if name == "first":
            grown = grown_between(a, r)
            known = None if other or not (same or near) else grown
            if known is not None and min(known) < 0:
                known = self.rolled(a, r) if same else None
            return name, known if known and max(known) <= most else None
        new, width = (e.import_after_wh, e.export_after_wh), (e.import_width_wh, e.export_width_wh)
        fall = new[0] - e.import_before_wh, new[1] - e.export_before_wh
        inner = {
            "entered": (0, 0),
            "rollover": (fall[0] + width[0], fall[1] + width[1]),
            "reset": (new[0] if fall[0] < 0 else fall[0], new[1] if fall[1] < 0 else fall[1]) if near else None,
            "step_back": (max(0, fall[0]), max(0, fall[1])) if near else None,
            "swap": (0, 0) if near and other else None,
        }.get(name)
        outer = [e.import_before_wh - a.import_wh, r.import_wh - new[0], e.export_before_wh - a.export_wh,
                 r.export_wh - new[1]]  # fmt: skip
        if inner is None or min(outer) < 0:
            return name, None
        grown = outer[0] + inner[0] + outer[1], outer[2] + inner[1] + outer[3]
        if e.event == "rollover" and not near and not signed.entered:
            turns = [w for w in width if w]
            if not turns or min(turns) + min(grown) <= most:
                return name, None
        return name, grown if min(grown) >= 0 and max(grown) <= most else None

    def rolled(self, a: MeterReading, b: MeterReading) -> Pair | None:
        """Returns the energy across a rollover that nobody signed, if one width explains it."""
        found = []
        for old, new in ((a.import_wh, b.import_wh), (a.export_wh, b.export_wh)):
            turned = [new - old] if new >= old else [
                turns * w + new - old for w in WIDTHS if w > old for turns in (1, 2)
            ]  # fmt: skip
            possible = [wh for wh in turned if wh in range(self.most(a, b) + 1)]
            if len(possible) != 1:
                return None
            found.append(possible[0])
        return found[0], found[1]

    def at(self, knots: list[Knot], aside: list[MeterReading]) -> "second_rules.Curve":
        """Returns the curve through the knots, to be asked for its value at a time."""
        return second_rules.Curve(self.span, self.meter, knots, aside, self.shape)


def grown_between(a: MeterReading, b: MeterReading) -> Pair:
    """Returns how much both registers grew."""
    return b.import_wh - a.import_wh, b.export_wh - a.export_wh
