"""The values of the oracle's pure core: registers at one moment, and energy in one interval, in integer Wh."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Literal
from uuid import UUID

from edge.wire.kinds import GOOD, SYNCHRONISED, CounterEvent
from hub.ingest.doubts import MAX_REGISTER_WH
from hub.units import Wh

DecisionKind = Literal["accept", "replace", "withdraw"]


class Quality(Enum):
    """How good an interval's energy is. Only ``valid`` trades, mints and certifies.

    ``suspect`` is found in intervals that an earlier version of the hub attested: such energy is ``estimated`` now.
    """

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
    active_power_w: int | None = None
    """Positive when the meter imports; None when it was not read."""
    state: str = GOOD
    """OCMF's letter of the meter's state; other than ``G`` the gateway was in doubt."""
    time_quality: str = SYNCHRONISED
    doubt: str = ""
    """Why the hub itself doubted it when it came: the id of a rule; empty when it did not."""
    flags: int = 0
    """The gateway's remarks on the reading's time (``edge.wire.kinds.FLAG_CLOCK_SKEW``, ``FLAG_GATEWAY_TIME``)."""

    @property
    def is_possible(self) -> bool:
        """Whether both registers are between 0 and ``MAX_REGISTER_WH``."""
        return 0 <= self.import_wh <= MAX_REGISTER_WH and 0 <= self.export_wh <= MAX_REGISTER_WH


@dataclass(frozen=True, slots=True)
class MeterEvent:
    """A counter event, and the boot of the gateway in which it was signed."""

    boot_id: bytes
    event: CounterEvent
    entered: bool = False
    """A person entered the registers before and after, with a reason, for a change that nobody saw happen."""


@dataclass(frozen=True, slots=True)
class Energy:
    """Energy in an interval, both directions non-negative."""

    import_wh: Wh
    export_wh: Wh


@dataclass(frozen=True, slots=True)
class Decision:
    """What a person decided about a meter's energy in [start, end), in s since 1970, whole intervals long.

    ``accept``: the readings are good after all. ``replace``: this energy flowed. ``withdraw``: neither, as if nothing
    had been decided.
    """

    kind: DecisionKind
    start_s: int
    end_s: int
    energy: Energy | None = None
    """Of the whole span; None unless ``kind`` is ``replace``."""


@dataclass(frozen=True, slots=True)
class MeterHistory:
    """What is known of a meter around an interval: readings in any order, counter events in order of time.

    ``decisions`` are in the order in which they were taken: of two the later one stands.
    """

    readings: Sequence[MeterReading] = ()
    events: Sequence[MeterEvent] = ()
    decisions: Sequence[Decision] = ()


@dataclass(frozen=True, slots=True)
class ExpectedMeter:
    """A meter whose readings an interval needs."""

    meter_id: str
    participant_id: UUID
    rated_power_w: int
    kind: str = "bidirectional"
    """``load``, ``generation``, ``bidirectional`` or ``feeder``."""
    gateway_id: str = ""
    zone: str = "campus"


@dataclass(frozen=True, slots=True)
class IntervalReading:
    """One meter's energy in an interval, the ids of the rules that flagged it and the readings it was computed from."""

    meter_id: str
    energy: Energy
    quality: Quality
    rules: tuple[str, ...]
    start_reading_id: bytes | None
    end_reading_id: bytes | None
