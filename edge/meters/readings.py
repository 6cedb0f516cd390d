"""What a meter said at one moment: the value that travels from a bus or a broker to the journal."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class MeterReading:
    """Registers of one meter; ``read_at_ms`` is when it said so, ``slot_s`` the wall-clock slot it belongs to."""

    meter_id: str
    slot_s: int
    read_at_ms: int
    import_wh: int
    export_wh: int
    quantities: tuple[tuple[int, int, int], ...] = ()
    """(OBIS code, value, decimal scale)."""
    serial: str = ""
    flags: int = 0
    pushed: bool = False
    """Published by the meter itself: it may come twice, or after a newer one."""
