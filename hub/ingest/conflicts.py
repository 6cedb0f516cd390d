"""What a well-signed frame may still not say: pure checks of declarations and registers against what is stored."""

from collections.abc import Callable, Iterable, Mapping

from hub.ingest.rows import AssignedMeter, FrameKey, MeterKey, PlacedReading, QuarantineRow
from hub.ingest.verify import FRAME_SUBJECT, Accepted

Moment = tuple[str, int]
"""(meter id, read at ms)"""


def moment(placed: PlacedReading) -> Moment:
    """The moment that a reading speaks of."""
    return placed.meter_id, placed.reading.read_at_ms


def reused_indexes(fresh: Mapping[FrameKey, Accepted], meanings: Mapping[MeterKey, str]) -> list[QuarantineRow]:
    """Meter records that give an index a second meaning within a boot; the first one holds."""
    return [
        QuarantineRow(
            FRAME_SUBJECT + row.gateway_id,
            row.gateway_id,
            "meter_index_reused",
            f"Index {row.meter_index} of boot {row.boot_id.hex()} is {meanings[row.key]} and can not become "
            f"{row.meter_id}: an index is never used again",
            verdict.frame.records[position],
        )
        for verdict in fresh.values()
        for position, row in verdict.contents.declared_at
        if meanings[row.key] != row.meter_id
    ]


def unassigned_meters(
    fresh: Mapping[FrameKey, Accepted], meters: Mapping[MeterKey, AssignedMeter]
) -> list[QuarantineRow]:
    """Meter records of meters that the hub has not assigned to that gateway; their readings wait until it has."""
    return [
        QuarantineRow(
            FRAME_SUBJECT + row.gateway_id,
            row.gateway_id,
            "meter_unknown",
            f"{row.meter_id} is not assigned to {row.gateway_id}: assign it at the hub, its readings wait until then",
            verdict.frame.records[position],
        )
        for verdict in fresh.values()
        for position, row in verdict.contents.declared_at
        if row.key not in meters
    ]


def contradictions(
    left_over: Iterable[PlacedReading],
    stored: Mapping[Moment, tuple[int, int]],
    record_of: Callable[[PlacedReading], bytes],
) -> list[QuarantineRow]:
    """Readings of a moment that is stored with other registers; the same registers again are no news."""
    return [
        _contradiction(one, stored[moment(one)], record_of(one))
        for one in left_over
        if moment(one) in stored and stored[moment(one)] != (one.reading.import_wh, one.reading.export_wh)
    ]


def _contradiction(one: PlacedReading, stored: tuple[int, int], record: bytes) -> QuarantineRow:
    (gateway_id, boot_id, sequence), reading = one.frame, one.reading
    return QuarantineRow(
        FRAME_SUBJECT + gateway_id,
        gateway_id,
        "register_conflict",
        f"{one.meter_id} at {reading.read_at_ms} ms is stored with import {stored[0]} Wh, export {stored[1]} Wh; frame "
        f"{boot_id.hex()}/{sequence} record {reading.record_index} says {reading.import_wh} Wh, {reading.export_wh} Wh",
        record,
    )
