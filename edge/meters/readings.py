"""The reading of a meter at one moment: what travels from its bus or broker to ``edge.intake``."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class MeterReading:
    """Registers of one meter; ``read_at_ms`` is when they were read, ``slot_s`` the wall-clock slot they belong to."""

    meter_id: str
    slot_s: int
    read_at_ms: int
    import_wh: int
    export_wh: int
    quantities: tuple[tuple[int, int, int], ...] = ()
    """(OBIS code as in ``wire.quantities``, value, decimal scale)."""
    serial: str = ""
    flags: int = 0
    """Those of ``wire.kinds``."""
    monotonic_ms: int | None = None
    """When it came, by the clock that never jumps; None when nobody looked, and the wall clock has to do."""
    late_ms: int = 0
    """How long it may have been on its way before that."""
    message: bytes = b""
    """Digest of the message that it came in, when that has a time of its own: the same message is the same reading, and
    may come after a newer one. Otherwise empty."""
