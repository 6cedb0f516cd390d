"""The rows that ingest writes: ``verify`` and ``service`` make them, ``repository`` stores them in batches."""

from collections.abc import Sequence
from typing import Any, NamedTuple
from uuid import UUID

from edge.wire.kinds import CounterEvent

FrameKey = tuple[str, bytes, int]
"""(gateway id, boot id, frame sequence): belongs to the first frame under it whose signature verified."""

MeterKey = tuple[str, bytes, int]
"""(gateway id, boot id, meter index): a ``meter`` record declares which meter it stands for."""


def columns_of(rows: Sequence[tuple[Any, ...]], width: int) -> list[list[Any]]:
    """Returns rows of ``width`` values as one list for each column, as SQL's ``unnest`` takes them.

    Raises: ValueError, when a row has another width.
    """
    columns = [list(column) for column in zip(*rows, strict=True)] if rows else [[] for _ in range(width)]
    if len(columns) != width:
        raise ValueError(f"rows of {len(columns)} values, not of {width}")
    return columns


class FrameRow(NamedTuple):
    """A verified frame with its bytes as they were received."""

    gateway_id: str
    boot_id: bytes
    sequence: int
    header_hash: bytes
    previous_hash: bytes
    key_id: bytes
    header: bytes
    signature: bytes
    body: bytes
    record_count: int
    sealed_at_ms: int
    published_at_ms: int
    received_at_ms: int
    verified_at_ms: int

    @property
    def key(self) -> FrameKey:
        return self.gateway_id, self.boot_id, self.sequence


class ReadingRow(NamedTuple):
    """A reading of a verified frame; its meter is given by the gateway's index only."""

    reading_id: bytes
    record_index: int
    meter_index: int
    meter_sequence: int
    slot_s: int
    read_at_ms: int
    time_quality: str
    meter_state: str
    flags: int
    import_wh: int
    export_wh: int
    active_power_w: int | None
    doubt: str
    """The id of the rule by which the hub doubts it; empty when it does not."""


class EventRow(NamedTuple):
    """A counter event of a verified frame; its meter is given by the gateway's index only."""

    record_index: int
    event: CounterEvent


class DeclarationRow(NamedTuple):
    """The meter that an index stands for within one boot of a gateway."""

    gateway_id: str
    boot_id: bytes
    meter_index: int
    meter_id: str
    serial: str
    profile: str
    profile_hash: bytes

    @property
    def key(self) -> MeterKey:
        return self.gateway_id, self.boot_id, self.meter_index


class GapRow(NamedTuple):
    """Frames that a gateway lost before the hub had them."""

    gateway_id: str
    boot_id: bytes
    first_sequence: int
    last_sequence: int
    reason: str


class ResolvedReading(NamedTuple):
    """A reading with its frame, and with the meter and owner that its meter index stands for."""

    frame: FrameKey
    meter_id: str
    participant_id: UUID
    reading: ReadingRow


class ResolvedEvent(NamedTuple):
    """A counter event with its frame, and with the meter that its meter index stands for."""

    frame: FrameKey
    meter_id: str
    row: EventRow


class QuarantineRow(NamedTuple):
    """A refused message or record: its bytes and why it was refused."""

    subject: str
    gateway_id: str
    code: str
    detail: str
    payload: bytes


class AssignedMeter(NamedTuple):
    """A meter that a gateway declared and that the hub has assigned to this gateway."""

    meter_id: str
    participant_id: UUID


class ReadyFrame(NamedTuple):
    """A stored frame with readings that waited for this meter, which is assigned by now."""

    key: FrameKey
    header: bytes
    signature: bytes
    body: bytes
    received_at_ms: int
    meter_index: int
    meter: AssignedMeter
