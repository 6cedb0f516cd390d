"""Decodes the records of a verified frame into the rows that ingest stores: readings, events, declarations, gaps."""

from dataclasses import dataclass, field

from edge.wire.errors import OutOfRangeError
from edge.wire.fast_reading import decode_fast_reading
from edge.wire.frames import Frame
from edge.wire.kinds import CounterEvent, Gap, MeterDeclared, Reading
from edge.wire.quantities import ACTIVE_POWER
from edge.wire.records import decode_record
from hub.ingest.doubts import doubt_of
from hub.ingest.rows import DeclarationRow, EventRow, GapRow, ReadingRow

LATEST_S = 221_845_392_000
"""The year 9000."""


@dataclass(slots=True)
class Contents:
    """The rows of one frame; records of other kinds stay in the frame's stored bytes."""

    readings: list[ReadingRow] = field(default_factory=list)
    indexed_declarations: list[tuple[int, DeclarationRow]] = field(default_factory=list)
    """Each declaration with its record's index in the frame."""
    gaps: list[GapRow] = field(default_factory=list)
    events: list[EventRow] = field(default_factory=list)

    @property
    def declarations(self) -> list[DeclarationRow]:
        return [row for _, row in self.indexed_declarations]


def contents_of(frame: Frame, received_ms: int) -> Contents:
    """Decodes the records of a frame that was received at ``received_ms`` (ms since 1970).

    Raises:
        WireError: the wire format does not allow a record, or its time is after the year 9000.
    """
    header, contents = frame.header, Contents()
    readings, sealed_ms = contents.readings, header.sealed_at_ms
    for index, (data, leaf) in enumerate(zip(frame.records, frame.leaves, strict=True)):
        fast = decode_fast_reading(data)
        if fast is not None:
            meter, sequence, slot_s, offset_ms, quality, state, flags, import_wh, export_wh, power_w = fast
            read_ms = slot_s * 1000 + offset_ms
            doubt = doubt_of(slot_s, read_ms, import_wh, export_wh, sealed_ms=sealed_ms, received_ms=received_ms)
            readings.append(
                ReadingRow(
                    leaf, index, meter, sequence, slot_s, read_ms, quality, state, flags, import_wh, export_wh, power_w,
                    doubt,
                )
            )  # fmt: skip
            continue
        record = decode_record(data, header.version)
        if isinstance(record, Reading):
            readings.append(_reading(index, leaf, record, sealed_ms=sealed_ms, received_ms=received_ms))
        elif isinstance(record, MeterDeclared):
            contents.indexed_declarations.append((index, _declaration(header.gateway_id, header.boot_id, record)))
        elif isinstance(record, Gap):
            contents.gaps.append(_gap(header.gateway_id, record))
        elif isinstance(record, CounterEvent):
            check_time(record.slot_s)
            contents.events.append(EventRow(index, record))
    return contents


def check_time(seconds: int) -> None:
    """Checks that Python and PostgreSQL can hold a time, in s since 1970.

    Raises:
        OutOfRangeError: it is after the year 9000.
    """
    if seconds > LATEST_S:
        raise OutOfRangeError(f"{seconds} s is after the year 9000: check the gateway's clock")


def active_power_w(reading: Reading) -> int | None:
    """Returns the power in W, rounded half up, positive = import; None when there is none within 64 bits."""
    for code, value, scale in reading.quantities:
        if code == ACTIVE_POWER:
            unit = 10 ** abs(scale)
            watts = value * unit if scale >= 0 else (2 * value + unit) // (2 * unit)
            return watts if abs(watts) < 2**63 else None
    return None


def _reading(index: int, leaf: bytes, record: Reading, *, sealed_ms: int, received_ms: int) -> ReadingRow:
    check_time(record.slot_s)
    read_ms = record.slot_s * 1000 + record.read_offset_ms
    return ReadingRow(
        leaf,
        index,
        record.meter_index,
        record.sequence,
        record.slot_s,
        read_ms,
        record.time_quality,
        record.meter_state,
        record.flags,
        record.import_wh,
        record.export_wh,
        active_power_w(record),
        doubt_of(
            record.slot_s, read_ms, record.import_wh, record.export_wh, sealed_ms=sealed_ms, received_ms=received_ms
        ),
    )


def _declaration(gateway_id: str, boot_id: bytes, record: MeterDeclared) -> DeclarationRow:
    return DeclarationRow(
        gateway_id,
        boot_id,
        record.meter_index,
        record.meter_id,
        record.serial,
        record.profile,
        record.profile_hash,
    )


def _gap(gateway_id: str, record: Gap) -> GapRow:
    return GapRow(gateway_id, record.boot_id, record.first, record.last, record.reason)
