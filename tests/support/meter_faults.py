"""What goes wrong at meters, gateways and their clocks, put into an honest day with the rule that must flag it."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from random import Random
from typing import Any

from edge.wire.kinds import CounterEvent
from hub.metering.readings import MeterEvent
from support.meter_days import MIDNIGHT_S, MeterDay


@dataclass(frozen=True)
class Injected:
    """A fault in a day: from when to when intervals may notice it, in s since 1970, and the rule that must."""

    rule: str
    start_s: int
    end_s: int


@dataclass(frozen=True)
class Fault:
    """A kind of fault: its name, the kind of meter, what puts it into a day, and whether the truth can be known."""

    name: str
    kind: str
    inject: Callable[[MeterDay, Random], Injected]
    knowable: bool = True


def noon(day: MeterDay, random: Random, *, at_boundary: bool = False) -> int:
    """Returns a slot around noon, when the sun shines: at an interval's start, or else inside one."""
    quarter_s = MIDNIGHT_S + random.randrange(36, 56) * 900
    return quarter_s if at_boundary else quarter_s + random.randrange(2, 11) * 60


def sign(day: MeterDay, event: str, last_s: int, first_s: int, **fields: Any) -> None:
    """Appends the event that a gateway signs when the third reading after ``first_s`` confirms new registers."""
    a, b, c = (day.readings[s] for s in (last_s, first_s, first_s + 2 * day.poll_period_s))
    known = {
        "last_sequence": a.meter_sequence,
        "first_sequence": b.meter_sequence,
        "confirmed_sequence": c.meter_sequence,
        "import_before_wh": a.import_wh, "import_after_wh": b.import_wh,
        "export_before_wh": a.export_wh, "export_after_wh": b.export_wh,
    }  # fmt: skip
    day.events.append(MeterEvent(b.boot_id, CounterEvent(0, c.slot_s, event, **(known | fields))))


def misread(registers: Callable[[int, int], tuple[int, int]], rule: str, count: int = 1, *, state: str = "G",
            at_boundary: bool = False) -> Callable[[MeterDay, Random], Injected]:  # fmt: skip
    """Returns a fault of ``count`` wrong readings; in another ``state`` than good the gateway signs that they were."""

    def inject(day: MeterDay, random: Random) -> Injected:
        at_s = noon(day, random, at_boundary=at_boundary)
        slots = day.slots(at_s, at_s + 60 * count)
        day.change(slots, registers, state=state)
        if state != "G":
            sign(day, "misread", at_s - 60, slots[-1] + 60)
        return Injected(rule, at_s, slots[-1])

    return inject


def several_misreads(day: MeterDay, random: Random) -> Injected:
    """Four zeros, an hour later a register a little too high, and an hour after that one far too high."""
    at_s = noon(day, random, at_boundary=True)
    day.change(day.slots(at_s, at_s + 240), lambda *_: (0, 0))
    day.change([at_s + 3600], lambda i, e: (i + 190, e))
    day.change([at_s + 7260], lambda i, e: (i + 52 * 10**6, e))
    return Injected("misread", at_s, at_s + 7260)


def zeros_signed_as_reset(day: MeterDay, random: Random) -> Injected:
    """Twelve zeros in a row, which the gateway took for a reset, and what followed for an unexplained change."""
    at_s = noon(day, random)
    slots = day.slots(at_s, at_s + 720)
    day.change(slots, lambda *_: (0, 0))
    sign(day, "reset", at_s - 60, at_s)
    sign(day, "unexplained", slots[-1], slots[-1] + 60)
    return Injected("counter_monotonic", at_s, slots[-1])


def changed(
    event: str, rule: str, new: Callable[[int, int], tuple[int, int]], *, signed: bool = True, **fields: Any
) -> Callable[[MeterDay, Random], Injected]:
    """Returns a fault after which both registers go on from ``new`` of what they were, with nothing counted between."""

    def inject(day: MeterDay, random: Random) -> Injected:
        at_s = noon(day, random)
        a, b = day.readings[at_s - 60], day.readings[at_s]
        begin = new(a.import_wh, a.export_wh)
        lost = b.import_wh - a.import_wh, b.export_wh - a.export_wh
        if signed:
            # Then the old counter was read a second before: what it counts after that nobody can know
            day.change([at_s - 60], lambda i, e: (i + lost[0], e + lost[1]), read_ms=at_s * 1000 - 1000)
        later = day.slots(at_s, max(day.readings) + 1)
        day.change(later, lambda i, e: (i - b.import_wh + begin[0], e - b.export_wh + begin[1]))
        if signed:
            day.change(day.slots(at_s, at_s + 180), state="E")
            sign(day, event, at_s - 60, at_s, **fields)
        return Injected(rule, at_s - 60, at_s)

    return inject


def rollover(width: int, *, signed: bool, direction: int = 0) -> Callable[[MeterDay, Random], Injected]:
    """Returns a fault of one register that begins again at ``width``."""

    def inject(day: MeterDay, random: Random) -> Injected:
        at_s = noon(day, random, at_boundary=True)
        before = next(s for s in range(at_s, at_s + 7200, 60) if _grown(day, s, s + 60)[direction] > 0)
        shift = width - 1 - _register(day, before, direction)

        def moved(import_wh: int, export_wh: int) -> tuple[int, int]:
            if direction:
                return import_wh, (export_wh + shift) % width
            return (import_wh + shift) % width, export_wh

        day.change(list(day.readings), moved)
        if signed:
            day.change(day.slots(before + 60, before + 240), state="E")
            sign(day, "rollover", before, before + 60, **{f"{'export' if direction else 'import'}_width_wh": width})
        return Injected("rollover", before, before + 60)

    return inject


def _register(day: MeterDay, slot_s: int, direction: int) -> int:
    return (day.readings[slot_s].import_wh, day.readings[slot_s].export_wh)[direction]


def _grown(day: MeterDay, a: int, b: int) -> tuple[int, int]:
    return _register(day, b, 0) - _register(day, a, 0), _register(day, b, 1) - _register(day, a, 1)


def gap(length_s: int, rule: str) -> Callable[[MeterDay, Random], Injected]:
    """Returns a fault of no readings for a while, over a boundary."""

    def inject(day: MeterDay, random: Random) -> Injected:
        at_s = noon(day, random, at_boundary=True)
        day.lose(day.slots(at_s, at_s + length_s))
        return Injected(rule, at_s, at_s + length_s)

    return inject


def unplugged(day: MeterDay, random: Random) -> Injected:
    """The gateway is off from noon on, and nothing comes any more."""
    at_s = noon(day, random)
    day.lose(day.slots(at_s, max(day.readings) + 1))
    return Injected("not_measured", at_s, day.end_s)


def late(day: MeterDay, random: Random) -> Injected:
    """A slow meter: every reading of two hours is taken a minute late, with the registers of then."""
    at_s = noon(day, random)
    slots = day.slots(at_s, at_s + 7200)
    registers = {s: (day.readings[s + 60].import_wh, day.readings[s + 60].export_wh) for s in slots}
    for slot_s in slots:
        later = registers[slot_s]
        day.change([slot_s], lambda *_, later=later: later, read_ms=slot_s * 1000 + 60_000)
    return Injected("read_late", slots[0], slots[-1])


def frozen(length_s: int, rule: str, *, catches_up: bool) -> Callable[[MeterDay, Random], Injected]:
    """Returns a fault of registers that stand still while power flows; they catch up afterwards or go on from there."""

    def inject(day: MeterDay, random: Random) -> Injected:
        at_s = noon(day, random)
        held, after = day.readings[at_s], day.readings[at_s + length_s]
        day.change(day.slots(at_s, at_s + length_s), lambda *_: (held.import_wh, held.export_wh))
        if not catches_up:
            lost = after.import_wh - held.import_wh, after.export_wh - held.export_wh
            day.change(day.slots(at_s + length_s, 2**40), lambda i, e: (i - lost[0], e - lost[1]))
        return Injected(rule, at_s, at_s + length_s)

    return inject


def registers_of_day(
    rule: str, registers: Callable[[int, int], tuple[int, int]], begin_s: int, end_s: int
) -> Callable[[MeterDay, Random], Injected]:
    """Returns a fault of wiring or configuration, from one time of the day to another."""

    def inject(day: MeterDay, random: Random) -> Injected:
        slots = day.slots(MIDNIGHT_S + begin_s, MIDNIGHT_S + end_s)
        first = day.readings[slots[0]]
        zero = registers(0, 0)
        moved = [registers(r.import_wh - first.import_wh, r.export_wh - first.export_wh)
                 for r in (day.readings[s] for s in slots)]  # fmt: skip
        last = day.readings[slots[-1]]
        for slot_s, (i, e) in zip(slots, moved, strict=True):
            day.change([slot_s], lambda *_, i=i, e=e: (first.import_wh + i - zero[0], first.export_wh + e - zero[1]))
        end = day.readings[slots[-1]]
        off = end.import_wh - last.import_wh, end.export_wh - last.export_wh
        day.change(day.slots(slots[-1] + 1, 2**40), lambda i, e: (i + off[0], e + off[1]))
        return Injected(rule, slots[0], slots[-1])

    return inject


def exports_at_night(day: MeterDay, random: Random) -> Injected:
    """A generator's register counts a kilowatt at one o'clock at night."""
    slots = day.slots(MIDNIGHT_S + 3600, MIDNIGHT_S + 2 * 3600)
    for n in range(len(slots)):
        day.change(day.slots(slots[n], 2**40), lambda i, e: (i, e + 16))
    return Injected("exports_at_night", slots[0], slots[-1])


def field_of(rule: str, **fields: Any) -> Callable[[MeterDay, Random], Injected]:
    """Returns a fault that changes one field of a reading."""

    def inject(day: MeterDay, random: Random) -> Injected:
        at_s = noon(day, random, at_boundary=True)
        day.change([at_s], **fields)
        return Injected(rule, at_s, at_s)

    return inject


def year_9000(day: MeterDay, random: Random) -> Injected:
    """The gateway's clock is far ahead for one reading, which the hub sees when it comes."""
    at_s = noon(day, random, at_boundary=True)
    day.change([at_s], read_ms=221_845_392_000_000, doubt="clock")
    return Injected("clock", at_s, at_s)


def clock_back(day: MeterDay, random: Random) -> Injected:
    """The gateway's clock is an hour behind for one reading: its time contradicts the order of its sequence."""
    at_s = noon(day, random)
    r = day.readings.pop(at_s)
    day.readings[at_s - 3601] = replace(r, slot_s=at_s - 3601, read_ms=(at_s - 3601) * 1000)
    day.readings = dict(sorted(day.readings.items()))
    return Injected("clock", at_s - 3601, at_s - 3601)


def new_agent(rule: str, **serials: str) -> Callable[[MeterDay, Random], Injected]:
    """Returns a fault of a gateway whose card was lost: a new agent begins with sequence 1 and knows nothing before."""

    def inject(day: MeterDay, random: Random) -> Injected:
        at_s = noon(day, random)
        day.lose(day.slots(at_s, at_s + 600))
        for n, slot_s in enumerate(day.slots(at_s, 2**40)):
            day.change([slot_s], boot_id=b"c" * 16, meter_sequence=n + 1, state="E" if n < 3 else "G")
        first = at_s + 600
        sign(day, "first", at_s - 60, first, last_sequence=0, import_before_wh=0, export_before_wh=0, **serials)
        return Injected(rule, at_s, first)

    return inject


def swapped_in_a_gap(*, entered: bool) -> Callable[[MeterDay, Random], Injected]:
    """Returns a fault of a meter replaced while its gateway was off; ``entered``: a person wrote its registers down."""

    def inject(day: MeterDay, random: Random) -> Injected:
        at_s = noon(day, random)
        length_s = 3600
        old = day.readings[at_s + 1800]
        day.change(day.slots(at_s + 1800, 2**40), lambda i, e: (i - old.import_wh + 7, e - old.export_wh + 3))
        day.lose(day.slots(at_s, at_s + length_s))
        first = at_s + length_s
        sign(day, "swap", at_s - 60, first, serial_before="A1", serial="B2")
        if entered:
            event = replace(
                day.events[-1].event, import_before_wh=old.import_wh, export_before_wh=old.export_wh,
                import_after_wh=7, export_after_wh=3,
            )  # fmt: skip
            day.events.append(MeterEvent(b"b" * 16, event, entered=True))
        return Injected("entered" if entered else "unseen_event", at_s, first)

    return inject
