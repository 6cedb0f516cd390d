"""What the oracle signs for an interval, pure: one leaf per meter, their Merkle root and the valid totals.

A proof shows the leaf of a neighbour, so each leaf holds random bytes that only its own owner is given: energy alone is
guessed in milliseconds.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from edge.wire import merkle
from edge.wire.ladder import BLINDING_BYTES, interval_leaf
from hub.metering.readings import IntervalReading, Quality
from hub.units import Wh

RandomBytes = Callable[[int], bytes]
"""So many bytes that nobody can guess."""


@dataclass(frozen=True, slots=True)
class Attestation:
    """An interval's readings in leaf order (by meter id), their root, and what is valid among them."""

    readings: tuple[IntervalReading, ...]
    blindings: tuple[bytes, ...]
    """One for each of the readings; who has it can try energies until the leaf comes out."""
    merkle_root: bytes
    meters_valid: int
    meters_estimated: int
    """All that are not valid: estimated, suspect and missing."""
    import_wh: Wh
    export_wh: Wh


def interval_leaves(
    start_s: int, end_s: int, readings: Sequence[IntervalReading], blindings: Sequence[bytes]
) -> list[bytes]:
    """The leaves of readings that are already in leaf order."""
    return [
        interval_leaf(start_s, end_s, r.meter_id, r.energy.import_wh, r.energy.export_wh, r.quality.value, blinding)
        for r, blinding in zip(readings, blindings, strict=True)
    ]


def attest(start_s: int, end_s: int, readings: Sequence[IntervalReading], random_bytes: RandomBytes) -> Attestation:
    """Puts readings of distinct meters in leaf order, draws a blinding for each and sums the valid ones."""
    ordered = tuple(sorted(readings, key=lambda r: r.meter_id))
    blindings = tuple(random_bytes(BLINDING_BYTES) for _ in ordered)
    valid = [r.energy for r in ordered if r.quality is Quality.VALID]
    return Attestation(
        readings=ordered,
        blindings=blindings,
        merkle_root=merkle.root(interval_leaves(start_s, end_s, ordered, blindings)),
        meters_valid=len(valid),
        meters_estimated=len(ordered) - len(valid),
        import_wh=Wh(sum(e.import_wh for e in valid)),
        export_wh=Wh(sum(e.export_wh for e in valid)),
    )
