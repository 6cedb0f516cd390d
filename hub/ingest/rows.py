"""What ingest writes, as plain rows: verify makes them, the repository stores them whole batches at a time."""

from typing import NamedTuple
from uuid import UUID

FrameKey = tuple[str, bytes, int]
"""(gateway id, boot id, frame sequence): taken once, by the first frame whose signature verified."""

MeterKey = tuple[str, bytes, int]
"""(gateway id, boot id, meter index): what a ``meter`` record gives a meaning."""


class FrameRow(NamedTuple):
    """A verified frame, its bytes as they came."""

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
    """A reading of a verified frame; its meter is known by the gateway's index only."""

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


class DeclarationRow(NamedTuple):
    """What a meter index means within one boot of a gateway."""

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
    """Frames that a gateway had to give up before the hub had them."""

    gateway_id: str
    boot_id: bytes
    first_sequence: int
    last_sequence: int
    reason: str


class PlacedReading(NamedTuple):
    """A reading with everything that its row needs."""

    frame: FrameKey
    meter_id: str
    participant_id: UUID
    reading: ReadingRow


class QuarantineRow(NamedTuple):
    """What was refused, its bytes and why."""

    subject: str
    gateway_id: str
    code: str
    detail: str
    payload: bytes


class AssignedMeter(NamedTuple):
    """A meter that the hub has assigned to the gateway that declared it."""

    meter_id: str
    participant_id: UUID


class ReadyFrame(NamedTuple):
    """A stored frame with readings that waited for this meter."""

    key: FrameKey
    header: bytes
    signature: bytes
    body: bytes
    meter_index: int
    meter: AssignedMeter
