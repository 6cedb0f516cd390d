"""Builds what the oracle signs for an interval, pure: one leaf per meter, their Merkle root and the valid totals.

A proof contains the leaf of another meter. Each leaf therefore holds random bytes, the blinding, that only the meter's
owner gets; without them anybody could find the energy in milliseconds by trying values (decision 0024).
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from edge.wire import merkle
from edge.wire.ladder import BLINDING_BYTES, interval_leaf
from hub.metering.readings import IntervalReading, Quality
from hub.units import Wh

RandomBytes = Callable[[int], bytes]
"""Returns that many bytes that nobody can guess."""


@dataclass(frozen=True, slots=True)
class Attestation:
    """An interval's readings in leaf order (by meter id), their Merkle root (32 bytes) and the valid totals."""

    readings: tuple[IntervalReading, ...]
    blindings: tuple[bytes, ...]
    """One of 16 bytes for each of the readings, secret to the meter's owner."""
    merkle_root: bytes
    meters_valid: int
    meters_estimated: int
    """Meters that are not valid: estimated, suspect or missing."""
    import_wh: Wh
    export_wh: Wh


def interval_leaves(
    start_s: int, end_s: int, readings: Sequence[IntervalReading], blindings: Sequence[bytes]
) -> list[bytes]:
    """Returns the leaves, 32 bytes each, of readings that are in leaf order; times in s since 1970."""
    return [
        interval_leaf(start_s, end_s, r.meter_id, r.energy.import_wh, r.energy.export_wh, r.quality.value, blinding)
        for r, blinding in zip(readings, blindings, strict=True)
    ]


def attest(
    start_s: int,
    end_s: int,
    readings: Sequence[IntervalReading],
    random_bytes: RandomBytes,
    *,
    feeders: frozenset[str] = frozenset(),
) -> Attestation:
    """Sorts readings of distinct meters into leaf order, draws a blinding for each and sums the valid ones.

    ``feeders`` are the ids of meters that are in the tree and in no sum: what they measure, others measure again.
    """
    ordered = tuple(sorted(readings, key=lambda r: r.meter_id))
    blindings = tuple(random_bytes(BLINDING_BYTES) for _ in ordered)
    valid = [r for r in ordered if r.quality is Quality.VALID]
    summed = [r.energy for r in valid if r.meter_id not in feeders]
    return Attestation(
        readings=ordered,
        blindings=blindings,
        merkle_root=merkle.root(interval_leaves(start_s, end_s, ordered, blindings)),
        meters_valid=len(valid),
        meters_estimated=len(ordered) - len(valid),
        import_wh=Wh(sum(energy.import_wh for energy in summed)),
        export_wh=Wh(sum(energy.export_wh for energy in summed)),
    )
