"""Heartbeats as bytes and back: the state of a gateway, and which of its frames have no receipt yet."""

from dataclasses import dataclass, field

from edge.wire import codec
from edge.wire.codec import Value, array, gateway_name, integer, octets, text
from edge.wire.ranges import ByBoot, from_field, to_fields
from edge.wire.records import time_quality

HEARTBEAT_TAGS = {1: b"peerwatt/beat/1", 2: b"peerwatt/beat/2"}
"""The domain tag in front, by version; version 1 ends with ``memory_queue``."""
_VERSIONS = {tag: version for version, tag in HEARTBEAT_TAGS.items()}
_ARITY = {1: 15, 2: 17}
MAX_HEARTBEAT_BYTES = 64 * 1024
MAX_METERS_LOST = 512
MAX_TROUBLES = 128
MAX_TROUBLE_CHARACTERS = 120


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
    complete_until_s: int = 0
    """Every reading of a slot up to this time (s since 1970, itself included) that the gateway will ever send has the
    hub's receipt; 0 when it can not say."""
    troubles: tuple[tuple[str, str], ...] = ()
    """(meter id, what is wrong and what to do, in ASCII) for meters that are not recorded as good now."""


def encode_heartbeat(heartbeat: Heartbeat) -> bytes:
    """Encodes a heartbeat; its fields are not checked."""
    return codec.pack(
        [
            HEARTBEAT_TAGS[2], heartbeat.gateway_id.encode(), heartbeat.sent_at_ms, heartbeat.version.encode(),
            heartbeat.boot_id, heartbeat.last_sequence, to_fields(heartbeat.waiting), heartbeat.outbox_frames,
            heartbeat.outbox_age_s, heartbeat.time_quality.encode(), heartbeat.clock_error_ms, heartbeat.meters,
            [meter.encode() for meter in heartbeat.meters_lost], heartbeat.disk_free_bytes, heartbeat.memory_queue,
            heartbeat.complete_until_s, [[meter.encode(), why.encode()] for meter, why in heartbeat.troubles],
        ]
    )  # fmt: skip


def decode_heartbeat(data: bytes) -> Heartbeat:
    """Decodes a heartbeat of version 1 or 2 strictly.

    Raises:
        WireError: one of its leaf classes names the reason.
    """
    f = codec.unpack(data, limit=MAX_HEARTBEAT_BYTES)
    version = codec.version_of(f, _VERSIONS)
    codec.expect_arity(f, _ARITY[version])
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
        complete_until_s=integer(f[15], "complete_until_s") if version > 1 else 0,
        troubles=tuple(map(_trouble, array(f[16], "troubles", MAX_TROUBLES))) if version > 1 else (),
    )


def _trouble(value: Value) -> tuple[str, str]:
    parts = array(value, "trouble", 2)
    codec.expect_arity(parts, 2)
    return text(parts[0], "meter_id", 32), text(parts[1], "trouble", MAX_TROUBLE_CHARACTERS)
