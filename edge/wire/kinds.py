"""The kinds of record in a gateway's chain: what was read, and everything one must know to trust it.

Plain values; ``edge.wire.records`` turns them into bytes and back.
"""

from dataclasses import dataclass
from typing import TypeAlias

INFORMATIVE, SYNCHRONISED, RELATIVE = "I", "S", "R"
"""Time quality, as OCMF writes it: plausible, synchronised, counted from boot."""

TIME_QUALITIES = frozenset("UISR")
"""OCMF's four: ``U`` (nothing known) is read but never written here."""
METER_STATES = frozenset("GNTDRMXIOSEF")
"""OCMF meter states; ``G`` is good."""

FLAG_RETAINED, FLAG_CLOCK_SKEW = 1, 2
"""A broker's retained message; the meter's own time is far from ours."""

COUNTER_EVENTS = frozenset({"rollover", "reset", "swap", "step_back"})


@dataclass(frozen=True, slots=True)
class Reading:
    """Cumulative registers of one meter at one moment; read time = slot_s * 1000 + read_offset_ms."""

    meter_index: int
    sequence: int
    slot_s: int
    read_offset_ms: int
    time_quality: str
    meter_state: str
    flags: int
    import_wh: int
    export_wh: int
    quantities: tuple[tuple[int, int, int], ...] = ()
    """(OBIS code, value, decimal scale), see ``edge.wire.quantities``."""


@dataclass(frozen=True, slots=True)
class MeterDeclared:
    """What a meter index means from here on in this boot."""

    meter_index: int
    meter_id: str
    serial: str
    profile: str
    profile_hash: bytes
    at_s: int


@dataclass(frozen=True, slots=True)
class Start:
    """The agent started. ``kernel_boot_id`` tells whether the machine did too."""

    at_ms: int
    time_quality: str
    kernel_boot_id: bytes
    version: str
    config_hash: bytes


@dataclass(frozen=True, slots=True)
class Stop:
    """The agent stopped in good order."""

    at_ms: int
    reason: str


@dataclass(frozen=True, slots=True)
class ConfigChange:
    """Another configuration is in force."""

    at_ms: int
    config_hash: bytes


@dataclass(frozen=True, slots=True)
class ClockStep:
    """The wall clock jumped: add ``offset_ms`` to times of this kernel boot before ``monotonic_ms``."""

    at_ms: int
    kernel_boot_id: bytes
    monotonic_ms: int
    offset_ms: int
    time_quality: str


@dataclass(frozen=True, slots=True)
class Gap:
    """Frames that were given up, and why."""

    boot_id: bytes
    first: int
    last: int
    reason: str
    at_ms: int


@dataclass(frozen=True, slots=True)
class CounterEvent:
    """A meter's registers did not simply grow: ``rollover``, ``reset``, ``swap`` or ``step_back``."""

    meter_index: int
    slot_s: int
    event: str
    import_before_wh: int
    import_after_wh: int
    export_before_wh: int
    export_after_wh: int
    serial: str


@dataclass(frozen=True, slots=True)
class KeyRotation:
    """The old key signs the new one; ``proof`` is the new key's signature over the old key's id."""

    public_key: bytes
    proof: bytes
    at_ms: int


@dataclass(frozen=True, slots=True)
class BufferQuarantine:
    """What was buffered is lost, or put aside: with a file name, the ledger's file was unusable, and frames that were
    only in it may come to light later, or never; without one, memory was full while the disk refused."""

    at_ms: int
    reason: str
    file_name: str
    size_bytes: int


Record: TypeAlias = (
    Reading
    | MeterDeclared
    | Start
    | Stop
    | ConfigChange
    | ClockStep
    | Gap
    | CounterEvent
    | KeyRotation
    | BufferQuarantine
)
