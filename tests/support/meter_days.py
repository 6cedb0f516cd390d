"""Labelled days of a meter: power by minute, the registers that it makes, and the truth; ``meter_faults`` breaks them.

A day is made from its seed alone. The truth is what a perfect counter showed, in Wh.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from random import Random
from typing import Any
from uuid import UUID

from hub.metering.intervals import Circumstances, Span
from hub.metering.readings import ExpectedMeter, MeterEvent, MeterHistory, MeterReading
from hub.metering.sun import STEP_S, Site, SunCourse, sun_weight
from hub.units import Wh

DAY_S = 86_400
MIDNIGHT_S = 1_780_272_000
"""1 June 2026, 00:00 UTC."""
BEFORE_S, AFTER_S = 4 * 3600, 8 * 3600
"""Readings begin and end this long before and after the day."""
SITE = (48.1, 11.6)
RATED_W = {"load": 12_000, "generation": 20_000, "bidirectional": 20_000}
WINDOW_S, BEYOND = 7200, 20
"""An interval sees the readings this long before and after it, and so many beyond those."""
SUN = tuple(sun_weight(MIDNIGHT_S + n * STEP_S + STEP_S // 2, *SITE) for n in range(DAY_S // STEP_S))

Registers = tuple[int, int]


@dataclass
class MeterDay:
    """A day's readings by slot, signed events, and truth; all times are s since 1970."""

    meter: ExpectedMeter
    readings: dict[int, MeterReading]
    totals: dict[int, Registers]
    """What a perfect counter shows at each slot."""
    poll_period_s: int = 60
    interval_s: int = 900
    events: list[MeterEvent] = field(default_factory=list)

    def spans(self) -> list[Span]:
        """Returns the day's intervals."""
        starts = range(MIDNIGHT_S, self.end_s, self.interval_s)
        return [Span(start_s, self.interval_s, self.poll_period_s) for start_s in starts]

    @property
    def end_s(self) -> int:
        """The end of the day; a demo's has fewer intervals."""
        return min(MIDNIGHT_S + DAY_S, max(self.totals) - self.poll_period_s * 10)

    def truth_wh(self, start_s: int, end_s: int) -> Registers:
        """Returns the true import and export in [start, end)."""
        a, b = self.totals[start_s], self.totals[end_s]
        return b[0] - a[0], b[1] - a[1]

    def slots(self, start_s: int, end_s: int) -> list[int]:
        """Returns the slots in [start, end) that were read, in order."""
        return [slot_s for slot_s in self.readings if start_s <= slot_s < end_s]

    def change(self, slots: list[int], registers: Callable[[int, int], Registers] | None = None, **fields: Any) -> None:
        """Replaces the registers, or other fields, of the readings of some slots."""
        for slot_s in slots:
            r = self.readings[slot_s]
            if registers is not None:
                import_wh, export_wh = registers(r.import_wh, r.export_wh)
                r = replace(r, import_wh=Wh(import_wh), export_wh=Wh(export_wh))
            self.readings[slot_s] = replace(r, **fields)

    def lose(self, slots: list[int]) -> None:
        """Drops readings; the gateway did not take them."""
        for slot_s in slots:
            del self.readings[slot_s]

    def history(self, span: Span, arrived_s: int) -> MeterHistory:
        """Returns what the oracle sees of an interval, by what was read up to ``arrived_s``."""
        known = [slot_s for slot_s in self.readings if slot_s <= arrived_s]
        first, last = span.start_s - WINDOW_S, span.end_s + WINDOW_S
        before, after = [s for s in known if s < first], [s for s in known if s > last]
        slots = (*before[-BEYOND:], *(s for s in known if first <= s <= last), *after[:BEYOND])
        events = [e for e in self.events if e.event.slot_s <= arrived_s]
        return MeterHistory([self.readings[slot_s] for slot_s in slots], events)

    def circumstances(self, span: Span) -> Circumstances:
        """Returns the sun at the site, and an import of earlier days that was a little different."""
        site = Site(*SITE)
        typical_wh = self.truth_wh(span.start_s, span.end_s)[0] * 9 // 10
        return Circumstances(typical_wh, site.sun_is_up(span.start_s, span.end_s), SunCourse(site))


def meter_day(seed: int, kind: str, *, rounding_wh: int = 1) -> MeterDay:
    """Returns an honest day of a ``load``, ``generation`` or ``bidirectional`` meter that is read every minute."""
    random = Random(f"{seed} {kind}")
    minutes = (BEFORE_S + DAY_S + AFTER_S) // 60 + 1
    load = _load_w(random, minutes) if kind != "generation" else [0] * minutes
    sun = _sun_w(random, minutes) if kind != "load" else [0] * minutes
    return _read(kind, [a - b for a, b in zip(load, sun, strict=True)], 60, 900, random, rounding_wh)


def demo_hour(seed: int, poll_period_s: int) -> MeterDay:
    """Returns an honest hour of a demo: intervals of a minute, a reading each second or few seconds."""
    random = Random(f"{seed} {poll_period_s}")
    steps = (BEFORE_S + 3600 + 10 * poll_period_s) // poll_period_s + 1
    powers = [round(9000 * math.sin(n / 50) + random.uniform(-300, 300)) for n in range(steps)]
    return _read("bidirectional", powers, poll_period_s, 60, random, 1)


def _read(kind: str, powers_w: list[int], step_s: int, interval_s: int, random: Random, rounding_wh: int) -> MeterDay:
    """Counts power, and reads the registers at each slot, with the power of a moment near the mean of the step."""
    meter = ExpectedMeter("METER_001", UUID(int=1), RATED_W[kind], kind)
    begun = random.randrange(10**6, 9 * 10**6), random.randrange(10**5, 10**6)
    joules = [0, 0]
    readings: dict[int, MeterReading] = {}
    totals: dict[int, Registers] = {}
    sequence = random.randrange(1, 10**6)
    for n, power_w in enumerate(powers_w):
        slot_s = MIDNIGHT_S - BEFORE_S + n * step_s
        total = begun[0] + joules[0] // 3600, begun[1] + joules[1] // 3600
        import_wh, export_wh = (Wh(wh - wh % rounding_wh) for wh in total)
        totals[slot_s] = import_wh, export_wh
        readings[slot_s] = MeterReading(
            slot_s.to_bytes(8) * 4, b"b" * 16, sequence + n, slot_s, slot_s * 1000 + random.randrange(20, 400),
            import_wh, export_wh, round(power_w * random.uniform(0.6, 1.4)),
        )  # fmt: skip
        joules[power_w < 0] += abs(power_w) * step_s
    return MeterDay(meter, readings, totals, step_s, interval_s)


def _load_w(random: Random, minutes: int) -> list[int]:
    """Returns the power of a flat: what is always on, a refrigerator, and appliances that run for a while."""
    always = random.randrange(60, 250)
    found = [always + (90 if n % 45 < 15 else 0) for n in range(minutes)]
    for _ in range(minutes // 60):
        begin, length, power_w = random.randrange(minutes), random.randrange(2, 90), random.randrange(200, 3000)
        for n in range(begin, min(minutes, begin + length)):
            found[n] = min(9000, found[n] + power_w + random.randrange(-20, 20))
    return found


def _sun_w(random: Random, minutes: int) -> list[int]:
    """Returns the power of a solar generator under passing clouds."""
    cloud, found = 1.0, []
    for n in range(minutes):
        step = (n * 60 - BEFORE_S) % DAY_S // 900
        cloud = min(1.0, max(0.2, cloud + random.uniform(-0.1, 0.1)))
        found.append(round(SUN[step] * 17 * cloud))
    return found
