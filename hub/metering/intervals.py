"""Computes one meter's energy in [start, end) from its readings, pure: register differences, checked by the rules.

The oracle passes in the readings, and the last valid interval for an estimate; it then attests the result.
"""

from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from dataclasses import dataclass

from hub.metering import rules
from hub.metering.boundaries import REACH_S, Boundary, boundary_at
from hub.metering.readings import Energy, ExpectedMeter, IntervalReading, MeterReading, Quality
from hub.units import Wh

ESTIMATE_REACH_S = 3600
"""A missing meter's last valid interval is repeated when it ended at most this long before."""


@dataclass(frozen=True, slots=True)
class Span:
    """An interval [start, end) in s since 1970, and the grace after it in which late readings still count."""

    start_s: int
    length_s: int
    poll_period_s: int
    grace_s: int

    @property
    def end_s(self) -> int:
        return self.start_s + self.length_s

    @property
    def until_s(self) -> int:
        """The last slot whose readings count."""
        return self.end_s + self.grace_s


@dataclass(frozen=True, slots=True)
class LastValid:
    """A meter's newest valid interval before this one."""

    end_s: int
    energy: Energy


@dataclass(frozen=True, slots=True)
class Measured:
    """What the readings that have arrived give for one meter."""

    reading: IntervalReading | None
    rules: tuple[str, ...]
    complete: bool
    """No reading that has not arrived yet could change the result."""


def measure(span: Span, meter: ExpectedMeter, readings: Sequence[MeterReading]) -> Measured:
    """Computes a meter's interval from its readings in any order; ``reading`` is None when they are not enough."""
    near = (r for r in readings if span.start_s - REACH_S <= r.slot_s <= span.until_s)
    ordered = sorted(near, key=lambda r: (r.slot_s, r.read_ms, r.reading_id))
    usable = [r for r in ordered if rules.in_range(r)]
    first = boundary_at(usable, span.start_s, poll_period_s=span.poll_period_s, until_s=span.until_s)
    last = boundary_at(usable, span.end_s, poll_period_s=span.poll_period_s, until_s=span.until_s)
    energy = _difference(first, last)
    flagged, effects = rules.judge(_window(span, meter, ordered, usable, energy))
    if first is None or last is None or energy is None or rules.Effect.REFUSED in effects:
        return Measured(None, flagged, complete=False)
    quality = _quality(first, last, effects)
    reading = IntervalReading(meter.meter_id, energy, quality, flagged, first.reading_id, last.reading_id)
    return Measured(reading, flagged, complete=first.complete and last.complete)


def estimate(span: Span, meter: ExpectedMeter, measured: Measured, last_valid: LastValid | None) -> IntervalReading:
    """Estimates a meter whose readings are not enough when the grace has passed.

    Repeats its last valid interval when that ended at most ``ESTIMATE_REACH_S`` before; otherwise returns no energy,
    with the quality ``missing``.
    """
    if last_valid is not None and last_valid.end_s >= span.start_s - ESTIMATE_REACH_S:
        return IntervalReading(meter.meter_id, last_valid.energy, Quality.ESTIMATED, measured.rules, None, None)
    return IntervalReading(meter.meter_id, Energy(Wh(0), Wh(0)), Quality.MISSING, measured.rules, None, None)


def _difference(first: Boundary | None, last: Boundary | None) -> Energy | None:
    """Registers only grow, so a negative difference gives None."""
    if first is None or last is None or last.import_wh < first.import_wh or last.export_wh < first.export_wh:
        return None
    return Energy(Wh(last.import_wh - first.import_wh), Wh(last.export_wh - first.export_wh))


def _quality(first: Boundary, last: Boundary, effects: frozenset[rules.Effect]) -> Quality:
    if rules.Effect.SUSPECT in effects:
        return Quality.SUSPECT
    return Quality.VALID if first.valid and last.valid else Quality.ESTIMATED


def _window(
    span: Span,
    meter: ExpectedMeter,
    ordered: Sequence[MeterReading],
    usable: Sequence[MeterReading],
    energy: Energy | None,
) -> rules.Window:
    """Returns the readings inside, boundaries included; where a boundary was not read, the neighbour beyond it."""
    slots = [r.slot_s for r in usable]
    begin, end = bisect_left(slots, span.start_s), bisect_right(slots, span.end_s)
    begin -= begin > 0 and span.start_s not in slots[begin : begin + 1]
    end += span.end_s not in slots[max(end - 1, 0) : end]
    return rules.Window(
        readings=usable[begin:end],
        out_of_range=sum(not rules.in_range(r) for r in ordered if span.start_s <= r.slot_s <= span.end_s),
        energy=energy,
        length_s=span.length_s,
        poll_period_s=span.poll_period_s,
        rated_power_w=meter.rated_power_w,
    )
