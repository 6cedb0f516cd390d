"""Checks the contents of well-signed frames against what is stored, pure: meter declarations and registers."""

from collections.abc import Callable, Iterable, Mapping

from hub.ingest.rows import AssignedMeter, FrameKey, MeterKey, QuarantineRow, ResolvedReading
from hub.ingest.verify import FRAME_SUBJECT_PREFIX, Accepted

Place = tuple[str, bytes, int]
"""(meter id, boot id, sequence of the meter): a gateway gives each once."""


def place_of(resolved: ResolvedReading) -> Place:
    """Returns a reading's meter, boot and sequence."""
    return resolved.meter_id, resolved.frame[1], resolved.reading.meter_sequence


def reused_indexes(new_frames: Mapping[FrameKey, Accepted], meter_ids: Mapping[MeterKey, str]) -> list[QuarantineRow]:
    """Returns the declarations that give a meter index a second meter within a boot; the first meter stays.

    ``meter_ids`` is the stored meter of every index that the frames declare.
    """
    return [
        QuarantineRow(
            FRAME_SUBJECT_PREFIX + row.gateway_id,
            row.gateway_id,
            "meter_index_reused",
            f"Index {row.meter_index} of boot {row.boot_id.hex()} is {meter_ids[row.key]} and can not become "
            f"{row.meter_id}: an index is never used again",
            verdict.frame.records[record_index],
        )
        for verdict in new_frames.values()
        for record_index, row in verdict.contents.indexed_declarations
        if meter_ids[row.key] != row.meter_id
    ]


def unassigned_meters(
    new_frames: Mapping[FrameKey, Accepted], meters: Mapping[MeterKey, AssignedMeter]
) -> list[QuarantineRow]:
    """Returns the declarations of meters that the hub has not assigned to that gateway.

    The readings of such a meter wait until it is assigned.
    """
    return [
        QuarantineRow(
            FRAME_SUBJECT_PREFIX + row.gateway_id,
            row.gateway_id,
            "meter_unknown",
            f"{row.meter_id} is not assigned to {row.gateway_id}: assign it at the hub, its readings wait until then",
            verdict.frame.records[record_index],
        )
        for verdict in new_frames.values()
        for record_index, row in verdict.contents.indexed_declarations
        if row.key not in meters
    ]


def register_conflicts(
    not_stored: Iterable[ResolvedReading],
    stored: Mapping[Place, tuple[int, int]],
    record_of: Callable[[ResolvedReading], bytes],
) -> list[QuarantineRow]:
    """Returns the readings whose sequence is stored with other registers; a repetition is no conflict.

    ``stored`` is the stored (import, export) in Wh. ``record_of`` returns a reading's signed record.
    """
    return [
        _register_conflict(resolved, stored[place_of(resolved)], record_of(resolved))
        for resolved in not_stored
        if place_of(resolved) in stored
        and stored[place_of(resolved)] != (resolved.reading.import_wh, resolved.reading.export_wh)
    ]


def _register_conflict(resolved: ResolvedReading, stored: tuple[int, int], record: bytes) -> QuarantineRow:
    (gateway_id, boot_id, sequence), reading = resolved.frame, resolved.reading
    return QuarantineRow(
        FRAME_SUBJECT_PREFIX + gateway_id,
        gateway_id,
        "register_conflict",
        f"Reading {reading.meter_sequence} of {resolved.meter_id} is stored with import {stored[0]} Wh, "
        f"export {stored[1]} Wh; "
        f"frame {boot_id.hex()}/{sequence} record {reading.record_index} says {reading.import_wh} Wh, "
        f"{reading.export_wh} Wh",
        record,
    )
