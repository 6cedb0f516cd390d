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
    pushed: bool = False
    """Published by the meter itself: the same reading may come twice, or after a newer one."""
