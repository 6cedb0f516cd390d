"""Finds a meter's registers at an interval's boundary, pure: read at the slot, or interpolated between its neighbours.

Neighbours at most two poll periods apart give a valid value. Neighbours further apart, each up to an hour from the
boundary, give an estimated one.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from hub.metering.readings import MeterReading
from hub.units import Wh

REACH_S = 3600
"""A reading further from a boundary than this is not used for it."""


@dataclass(frozen=True, slots=True)
class Boundary:
    """Registers at a boundary."""

    import_wh: Wh
    export_wh: Wh
    valid: bool
    complete: bool
    """No reading that has not arrived yet could change the registers."""
    reading_id: bytes
    """The reading at the slot, or the earlier neighbour."""


def boundary_at(readings: Sequence[MeterReading], at_s: int, *, poll_period_s: int, until_s: int) -> Boundary | None:
    """Returns the registers at ``at_s`` (s since 1970), or None when there are no neighbours within ``REACH_S``.

    ``readings`` are one meter's, in order of time; slots after ``until_s`` do not count. The interpolation uses the
    time of reading in ms and rounds down. The distance between neighbours is measured by slot, so that a reply that is
    a few milliseconds late does not turn one missed slot into an estimate.
    """
    at_slot = next((r for r in readings if r.slot_s == at_s), None)
    if at_slot is not None:
        return Boundary(at_slot.import_wh, at_slot.export_wh, valid=True, complete=True, reading_id=at_slot.reading_id)
    before = next((r for r in reversed(readings) if at_s - REACH_S <= r.slot_s < at_s), None)
    after = next((r for r in readings if at_s < r.slot_s <= min(at_s + REACH_S, until_s)), None)
    if before is None or after is None:
        return None
    return _interpolated(before, after, at_s * 1000, max_valid_gap_s=2 * poll_period_s)


def _interpolated(before: MeterReading, after: MeterReading, at_ms: int, *, max_valid_gap_s: int) -> Boundary:
    valid = after.slot_s - before.slot_s <= max_valid_gap_s
    consecutive = before.boot_id == after.boot_id and before.meter_sequence + 1 == after.meter_sequence
    return Boundary(
        import_wh=Wh(_interpolate(before.read_ms, before.import_wh, after.read_ms, after.import_wh, at_ms)),
        export_wh=Wh(_interpolate(before.read_ms, before.export_wh, after.read_ms, after.export_wh, at_ms)),
        valid=valid,
        complete=valid and consecutive,
        reading_id=before.reading_id,
    )


def _interpolate(t0_ms: int, wh0: int, t1_ms: int, wh1: int, at_ms: int) -> int:
    """Interpolates linearly and rounds down; outside the two times (a slot was read late) returns the nearer value."""
    if at_ms <= t0_ms or t1_ms <= t0_ms:
        return wh0
    return wh1 if at_ms >= t1_ms else wh0 + (wh1 - wh0) * (at_ms - t0_ms) // (t1_ms - t0_ms)
