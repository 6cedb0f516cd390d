"""The kind of a meter: what its ``meter`` record names, and the most that it can measure."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class MeterKind:
    """A Modbus profile or an MQTT dialect, by name and SHA-256, and the meter's rated power in W."""

    profile: str
    profile_hash: bytes
    max_power_w: int
