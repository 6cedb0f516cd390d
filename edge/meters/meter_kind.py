"""The kind of a meter: what its ``meter`` record names, and how its registers are judged."""

from dataclasses import dataclass

from edge.meters.points import Rules


@dataclass(frozen=True, slots=True)
class MeterKind:
    """A Modbus profile or an MQTT dialect, by name and SHA-256, and the rules for its registers."""

    profile: str
    profile_hash: bytes
    rules: Rules
