"""Computes one meter's energy in [start, end) from what is known of it, pure: the difference of its curve, judged.

The oracle passes in the readings and events around the interval, and what the meter counted at this time of earlier
days; it then attests the result.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from hub.metering import rules
from hub.metering.curve import Between, Boundary, Curve
from hub.metering.decided import share, standing
from hub.metering.doubts import CLOCK, RANGE, UNCONFIRMED, counted
from hub.metering.readings import Energy, ExpectedMeter, IntervalReading, MeterHistory, Quality
from hub.metering.rules import Effect, Window
from hub.metering.runs import Limits, runs_of
from hub.metering.sharing import Spread
from hub.units import Wh


@dataclass(frozen=True, slots=True)
class Span:
    """An interval [start, end) in s since 1970, and how often meters are read."""

    start_s: int
    length_s: int
    poll_period_s: int

    @property
    def end_s(self) -> int:
        return self.start_s + self.length_s


@dataclass(frozen=True, slots=True)
class Circumstances:
    """What else is known of a meter's interval.

    ``typical_wh``: the import at this time of earlier days, None without any. ``sun_is_up``: whether the sun shines on
    the site at any time of the interval, None when nobody knows. ``shape``: how the meter's energy is spread over a
    day, None when nobody knows.
    """

    typical_wh: int | None = None
    sun_is_up: bool | None = None
    shape: Spread | None = None


@dataclass(frozen=True, slots=True)
class Measured:
    """One meter's energy in an interval, by what has arrived."""

    reading: IntervalReading
    complete: bool
    """No reading that has not arrived yet could change the result."""


NOTHING_ELSE = Circumstances()


def measure(
    span: Span, meter: ExpectedMeter, history: MeterHistory, circumstances: Circumstances = NOTHING_ELSE
) -> Measured:
    """Computes a meter's interval.

    What was measured counts. For the part that nobody measured the import of earlier days stands in, and no export. An
    estimate is never more than the rated power gives in the interval, but for what was measured with overload. Energy
    that a person entered in its place is an estimate, too.
    """
    known = counted(history)
    limits = Limits.of(meter.rated_power_w, known.readings)
    sorted_out = runs_of(known.readings, known.openings, limits)
    doubted = known.doubted | sorted_out.left_out
    curve = Curve(sorted_out.runs, limits, span.poll_period_s, _between(history, doubted, circumstances.shape))
    window = _window(span, meter, history, curve, doubted, limits, circumstances)
    judgement = rules.judge(window)
    energy, quality = window.energy, Quality.VALID
    if judgement.effect is not Effect.NOTE:
        energy = _estimate(window, judgement.effect, circumstances.typical_wh)
        nothing = window.unknown_ms >= span.length_s * 1000 and circumstances.typical_wh is None
        quality = Quality.MISSING if nothing else Quality.ESTIMATED
    if window.decision is not None and window.decision.kind == "replace":
        energy, quality = share(window.decision, span.start_s, span.end_s), Quality.ESTIMATED
    first, last = window.first, window.last
    return Measured(
        IntervalReading(meter.meter_id, energy, quality, judgement.rules, _id_of(first), _id_of(last)),
        complete=_is_complete(first) and _is_complete(last) and window.unknown_ms == 0,
    )


def _between(history: MeterHistory, doubted: Mapping[bytes, str], shape: Spread | None) -> Between:
    """Returns what readings that do not count still tell: their power, and that nothing more is to come of them."""
    others = [r for r in history.readings if r.reading_id in doubted]
    powers = [r for r in others if doubted[r.reading_id] not in (CLOCK, RANGE)]
    settled = frozenset((r.boot_id, r.meter_sequence) for r in others if doubted[r.reading_id] != UNCONFIRMED)
    return Between(shape, sorted(powers, key=lambda r: (r.read_ms, r.meter_sequence)), settled)


def _window(
    span: Span,
    meter: ExpectedMeter,
    history: MeterHistory,
    curve: Curve,
    doubted: Mapping[bytes, str],
    limits: Limits,
    circumstances: Circumstances,
) -> Window:
    import_wh, export_wh = curve.measured_wh(span.start_s, span.end_s)
    inside = [r for r in history.readings if span.start_s <= r.slot_s <= span.end_s]
    return Window(
        meter=meter,
        start_s=span.start_s,
        end_s=span.end_s,
        poll_period_s=span.poll_period_s,
        readings=curve.readings(span.start_s, span.end_s),
        doubted=sorted({doubted[r.reading_id] for r in inside if r.reading_id in doubted}),
        breaks=curve.breaks(span.start_s, span.end_s),
        first=curve.boundary(span.start_s),
        last=curve.boundary(span.end_s),
        energy=Energy(Wh(import_wh), Wh(export_wh)),
        rounding_wh=limits.rounding_wh,
        unknown_ms=curve.unknown_ms(span.start_s, span.end_s),
        sun_is_up=circumstances.sun_is_up,
        decision=standing(history.decisions, span.start_s, span.end_s),
    )


def _estimate(window: Window, effect: Effect, typical_wh: int | None) -> Energy:
    """Adds the typical import for what nobody measured, and keeps to the rated power."""
    imported, exported = (
        wh if wh <= window.most_wh else window.rated_wh for wh in (window.energy.import_wh, window.energy.export_wh)
    )
    missing_wh = (typical_wh or 0) * window.unknown_ms // (window.length_s * 1000)
    missing_wh = max(0, min(missing_wh, window.rated_wh - imported))
    return Energy(Wh(imported + missing_wh), Wh(0 if effect is Effect.WITHHOLD else exported))


def _id_of(boundary: Boundary | None) -> bytes | None:
    return None if boundary is None else boundary.reading_id


def _is_complete(boundary: Boundary | None) -> bool:
    return boundary is not None and boundary.complete
