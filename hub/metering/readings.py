"""The values of the oracle's pure core: registers at one moment, and energy in one interval, in integer Wh."""

from dataclasses import dataclass
from enum import Enum
from uuid import UUID

from hub.units import Wh


class Quality(Enum):
    """How good an interval's energy is. Only ``valid`` trades, mints and certifies."""

    VALID = "valid"
    ESTIMATED = "estimated"
    SUSPECT = "suspect"
    MISSING = "missing"


@dataclass(frozen=True, slots=True)
class MeterReading:
    """Both cumulative registers of a meter at one moment, as signed by its gateway; times since 1970."""

    reading_id: bytes
    boot_id: bytes
    meter_sequence: int
    slot_s: int
    read_ms: int
    import_wh: Wh
    export_wh: Wh


@dataclass(frozen=True, slots=True)
class Energy:
    """Energy in an interval, both directions non-negative."""

    import_wh: Wh
    export_wh: Wh


@dataclass(frozen=True, slots=True)
class ExpectedMeter:
    """A meter whose readings an interval needs."""

    meter_id: str
    participant_id: UUID
    rated_power_w: int


@dataclass(frozen=True, slots=True)
class IntervalReading:
    """One meter's energy in an interval, the ids of the rules that flagged it and the readings it was computed from."""

    meter_id: str
    energy: Energy
    quality: Quality
    rules: tuple[str, ...]
    start_reading_id: bytes | None
    end_reading_id: bytes | None
