"""The kinds of record in a gateway's chain: readings, and what one must know to trust them.

Plain values; ``edge.wire.records`` encodes and decodes them.
"""

from dataclasses import dataclass
from typing import TypeAlias

INFORMATIVE, SYNCHRONISED, RELATIVE = "I", "S", "R"
"""Time qualities of OCMF (Open Charge Metering Format): plausible, synchronised, counted from boot."""

TIME_QUALITIES = frozenset("UISR")
"""OCMF's four; ``U`` (unknown) is decoded but never written here."""
METER_STATES = frozenset("GNTDRMXIOSEF")
"""OCMF meter states."""
GOOD = "G"
FELL_OR_FIRST, JUMPED, OTHER_IDENTITY = "E", "O", "X"
"""The states of a reading in doubt (OCMF: other error, out of range, exchanged): its registers are lower than before or
the meter's first; higher than the meter can have measured; or they come from a meter with another identity."""

FLAG_RETAINED, FLAG_CLOCK_SKEW, FLAG_GATEWAY_TIME = 1, 2, 4
"""The reading was a broker's retained message; the meter's own time is more than a minute ahead of ours (by agents that
used it all the same); the meter gave a time of its own that was not used, and the gateway's stands in its place."""

COUNTER_EVENTS_1 = frozenset({"rollover", "reset", "swap", "step_back"})
"""The events of ``CounterEvent1``."""
COUNTER_EVENTS = frozenset({"first", "misread", "rollover", "reset", "swap", "step_back", "unexplained"})
"""How a doubt ends when the registers do not go on from where they were; see ``CounterEvent``."""


@dataclass(frozen=True, slots=True)
class Reading:
    """Cumulative registers of one meter, read at ``slot_s * 1000 + read_offset_ms`` (ms since 1970).

    ``sequence`` counts the meter's readings from 1.
    """

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
    """What a meter index means in this boot from here on: meter, serial number, profile and its SHA-256."""

    meter_index: int
    meter_id: str
    serial: str
    profile: str
    profile_hash: bytes
    at_s: int


@dataclass(frozen=True, slots=True)
class Start:
    """The agent started; ``kernel_boot_id`` tells whether the machine did too."""

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
    """Another configuration is in force; ``config_hash`` is its SHA-256."""

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
    """The frames ``first`` to ``last`` (sequences, both included) of a boot were deleted before the hub had them."""

    boot_id: bytes
    first: int
    last: int
    reason: str
    at_ms: int


@dataclass(frozen=True, slots=True)
class CounterEvent1:
    """What agents recorded before version 2 of the frames, on the word of one reading; decoded, and written no more.

    ``rollover``, ``reset``, ``swap`` or ``step_back``.
    """

    meter_index: int
    slot_s: int
    event: str
    import_before_wh: int
    import_after_wh: int
    export_before_wh: int
    export_after_wh: int
    serial: str


@dataclass(frozen=True, slots=True)
class CounterEvent:
    """The end of a doubt: the meter's readings go on from other registers than before, as several of them confirm.

    Its readings ``first_sequence`` to ``confirmed_sequence`` count from now on, whatever their state says; those after
    ``last_sequence`` and before ``first_sequence`` do not count, whatever theirs says. The events:

    | event | the new registers |
    |---|---|
    | ``first`` | are the first that this agent knows of the meter; ``last_sequence`` is 0 |
    | ``misread`` | go on from ``last_sequence``: what was read after it was wrong |
    | ``rollover`` | went on past the counter's width and began again at 0 |
    | ``reset`` | began again at 0 |
    | ``swap`` | are those of a meter with another identity (``serial_before``, ``serial``) |
    | ``step_back`` | are what the meter had saved before it lost its power |
    | ``unexplained`` | are none of these |
    """

    meter_index: int
    slot_s: int
    """Of the reading that confirmed it."""
    event: str
    last_sequence: int
    """The last reading of the old registers."""
    first_sequence: int
    confirmed_sequence: int
    import_before_wh: int
    """At ``last_sequence``; 0 without one."""
    import_after_wh: int
    """At ``first_sequence``."""
    export_before_wh: int
    export_after_wh: int
    import_width_wh: int = 0
    """Where the import register begins again, for a rollover of it; otherwise 0."""
    export_width_wh: int = 0
    serial_before: str = ""
    serial: str = ""


@dataclass(frozen=True, slots=True)
class KeyRotation:
    """The old key signs the new one; ``proof`` is the new key's signature over the old key's id."""

    public_key: bytes
    proof: bytes
    at_ms: int


@dataclass(frozen=True, slots=True)
class BufferQuarantine:
    """Buffered readings are lost or put aside.

    With a file name the ledger's file was corrupt and renamed, and frames that are in it alone may be found later.
    Without one, memory was full while the disk refused.
    """

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
    | CounterEvent1
    | KeyRotation
    | BufferQuarantine
    | CounterEvent
)
