"""A meter's registers at an interval's boundary, pure: read at the slot, or interpolated between the neighbours.

Neighbours at most two poll periods apart give a valid value, wider ones (each up to an hour away) an estimated one.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from hub.metering.readings import MeterReading
from hub.units import Wh

REACH_S = 3600
"""How far from a boundary a reading may lie to say anything about it."""


@dataclass(frozen=True, slots=True)
class Boundary:
    """Registers at a boundary. ``settled``: no reading still on its way could change them."""

    import_wh: Wh
    export_wh: Wh
    valid: bool
    settled: bool
    reading_id: bytes
    """The reading at the slot, or the earlier neighbour."""


def boundary(readings: Sequence[MeterReading], at_s: int, *, poll_period_s: int, until_s: int) -> Boundary | None:
    """The registers at ``at_s`` from readings of slots up to ``until_s``, or None when no neighbours reach it.

    ``readings`` are one meter's, in order of time. Interpolation goes by read time in ms and rounds down; distance
    goes by slot, so that a reply's few milliseconds do not turn one missed slot into an estimate.
    """
    at_slot = next((r for r in readings if r.slot_s == at_s), None)
    if at_slot is not None:
        return Boundary(at_slot.import_wh, at_slot.export_wh, valid=True, settled=True, reading_id=at_slot.reading_id)
    before = next((r for r in reversed(readings) if at_s - REACH_S <= r.slot_s < at_s), None)
    after = next((r for r in readings if at_s < r.slot_s <= min(at_s + REACH_S, until_s)), None)
    if before is None or after is None:
        return None
    return _between(before, after, at_s * 1000, 2 * poll_period_s)


def _between(before: MeterReading, after: MeterReading, at_ms: int, wide_s: int) -> Boundary:
    valid = after.slot_s - before.slot_s <= wide_s
    neighbours = before.boot_id == after.boot_id and before.meter_sequence + 1 == after.meter_sequence
    return Boundary(
        import_wh=Wh(_interpolate(before.read_ms, before.import_wh, after.read_ms, after.import_wh, at_ms)),
        export_wh=Wh(_interpolate(before.read_ms, before.export_wh, after.read_ms, after.export_wh, at_ms)),
        valid=valid,
        settled=valid and neighbours,
        reading_id=before.reading_id,
    )


def _interpolate(t0_ms: int, wh0: int, t1_ms: int, wh1: int, at_ms: int) -> int:
    """Linear and floored; a moment outside the two (a slot read late) takes the nearer value."""
    if at_ms <= t0_ms or t1_ms <= t0_ms:
        return wh0
    return wh1 if at_ms >= t1_ms else wh0 + (wh1 - wh0) * (at_ms - t0_ms) // (t1_ms - t0_ms)
