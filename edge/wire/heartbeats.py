"""Heartbeats as bytes and back: the state of a gateway, and which of its frames have no receipt yet."""

from dataclasses import dataclass, field

from edge.wire import codec
from edge.wire.codec import array, gateway_name, integer, octets, text
from edge.wire.ranges import ByBoot, from_field, to_fields
from edge.wire.records import time_quality

HEARTBEAT_TAG = b"peerwatt/beat/1"
MAX_HEARTBEAT_BYTES = 64 * 1024
MAX_METERS_LOST = 512


@dataclass(frozen=True, slots=True)
class Heartbeat:
    """The state of a gateway, sent every minute."""

    gateway_id: str
    sent_at_ms: int
    version: str
    boot_id: bytes
    last_sequence: int
    """The sequence of this boot's newest frame; 0 before the first."""
    waiting: ByBoot = field(default_factory=dict)
    """Sequences of frames that have no receipt yet, by boot id."""
    outbox_frames: int = 0
    """How many such frames there are; ``waiting`` may list fewer."""
    outbox_age_s: int = 0
    """The age of the oldest of them."""
    time_quality: str = "U"
    clock_error_ms: int = 0
    """The kernel's estimate of how far the clock may be off; 0 when it does not know."""
    meters: int = 0
    """How many meters the gateway has."""
    meters_lost: tuple[str, ...] = ()
    """Ids of those that do not answer."""
    disk_free_bytes: int = 0
    memory_queue: int = 0
    """Records that wait for the disk."""


def encode_heartbeat(heartbeat: Heartbeat) -> bytes:
    """Encodes a heartbeat; its fields are not checked."""
    return codec.pack(
        [
            HEARTBEAT_TAG, heartbeat.gateway_id.encode(), heartbeat.sent_at_ms, heartbeat.version.encode(),
            heartbeat.boot_id, heartbeat.last_sequence, to_fields(heartbeat.waiting), heartbeat.outbox_frames,
            heartbeat.outbox_age_s, heartbeat.time_quality.encode(), heartbeat.clock_error_ms, heartbeat.meters,
            [meter.encode() for meter in heartbeat.meters_lost], heartbeat.disk_free_bytes, heartbeat.memory_queue,
        ]
    )  # fmt: skip


def decode_heartbeat(data: bytes) -> Heartbeat:
    """Decodes a heartbeat strictly.

    Raises:
        WireError: one of its leaf classes names the reason.
    """
    f = codec.unpack(data, limit=MAX_HEARTBEAT_BYTES)
    codec.expect_tag(f, HEARTBEAT_TAG, 15)
    return Heartbeat(
        gateway_id=gateway_name(f[1]),
        sent_at_ms=integer(f[2], "sent_at_ms"),
        version=text(f[3], "version"),
        boot_id=octets(f[4], "boot_id", 16),
        last_sequence=integer(f[5], "last_sequence"),
        waiting=from_field(f[6], "waiting"),
        outbox_frames=integer(f[7], "outbox_frames"),
        outbox_age_s=integer(f[8], "outbox_age_s"),
        time_quality=time_quality(f[9]),
        clock_error_ms=integer(f[10], "clock_error_ms"),
        meters=integer(f[11], "meters"),
        meters_lost=tuple(text(name, "meter_id", 32) for name in array(f[12], "meters_lost", MAX_METERS_LOST)),
        disk_free_bytes=integer(f[13], "disk_free_bytes"),
        memory_queue=integer(f[14], "memory_queue"),
    )
