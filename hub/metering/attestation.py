"""What the oracle signs for an interval, pure: one leaf per meter, their Merkle root and the valid totals."""

from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import sha256
from struct import pack

from edge.wire import merkle
from hub.metering.readings import IntervalReading, Quality
from hub.units import Wh

_DOMAIN = b"peerwatt/interval/1"


@dataclass(frozen=True, slots=True)
class Attestation:
    """An interval's readings in leaf order (by meter id), their root, and what is valid among them."""

    readings: tuple[IntervalReading, ...]
    merkle_root: bytes
    meters_valid: int
    meters_estimated: int
    """All that are not valid: estimated, suspect and missing."""
    import_wh: Wh
    export_wh: Wh


def interval_leaf(start_s: int, end_s: int, meter_id: str, import_wh: int, export_wh: int, quality: Quality) -> bytes:
    """The leaf of one meter: 32 bytes, padded and ordered as the oracle program checks it."""
    words = pack("<qq32sQQB", start_s, end_s, meter_id.encode(), import_wh, export_wh, quality.code)
    return sha256(_DOMAIN + words).digest()


def interval_leaves(start_s: int, end_s: int, readings: Sequence[IntervalReading]) -> list[bytes]:
    """The leaves of readings that are already in leaf order."""
    return [
        interval_leaf(start_s, end_s, r.meter_id, r.energy.import_wh, r.energy.export_wh, r.quality) for r in readings
    ]


def attest(start_s: int, end_s: int, readings: Sequence[IntervalReading]) -> Attestation:
    """Puts readings of distinct meters in leaf order and sums the valid ones."""
    ordered = tuple(sorted(readings, key=lambda r: r.meter_id))
    valid = [r.energy for r in ordered if r.quality is Quality.VALID]
    return Attestation(
        readings=ordered,
        merkle_root=merkle.root(interval_leaves(start_s, end_s, ordered)),
        meters_valid=len(valid),
        meters_estimated=len(ordered) - len(valid),
        import_wh=Wh(sum(e.import_wh for e in valid)),
        export_wh=Wh(sum(e.export_wh for e in valid)),
    )
