"""Meters, readings and intervals as the API shows them."""

from typing import Literal
from uuid import UUID

from pydantic import BaseModel, Field

from hub.chain.instructions.registry import MeterKind
from hub.http.types import Hash, UtcTime
from hub.metering.readings import DecisionKind

Quality = Literal["valid", "estimated", "suspect", "missing"]
MeterStatus = Literal["active", "suspended", "retired"]


class Reading(BaseModel):
    """The cumulative registers of a meter at one moment, signed by its gateway."""

    reading_id: Hash
    meter_id: str
    gateway_id: str
    meter_sequence: int
    slot_at: UtcTime = Field(description="The wall-clock slot that the reading belongs to")
    read_at: UtcTime = Field(description="When the meter was read")
    time_quality: Literal["U", "I", "S", "R"] = Field(
        description="U unknown, I informative, S synchronised, R relative to boot"
    )
    meter_state: str = Field(description="OCMF letter")
    flags: int
    import_wh: int = Field(description="OBIS 1-0:1.8.0, cumulative")
    export_wh: int = Field(description="OBIS 1-0:2.8.0, cumulative")
    active_power_w: int | None = Field(description="Positive is import")
    doubt: str = Field(description="Id of the rule by which the hub doubts it since it came; empty when it does not")
    stored_at: UtcTime


class Meter(BaseModel):
    """A meter, its location and its newest reading."""

    meter_id: str = Field(examples=["METER_001"])
    gateway_id: str
    participant_id: UUID
    kind: MeterKind
    rated_power_w: int
    serial: str
    zone: str
    building: str
    floor: str | None
    room: str | None
    status: MeterStatus
    last_reading: Reading | None


class Meters(BaseModel):
    """The meters that the reader may see."""

    items: list[Meter]


class ReadingPage(BaseModel):
    """Readings in order of time."""

    items: list[Reading]
    next_cursor: str | None = Field(description="Null on the last page")


class MeterInterval(BaseModel):
    """A meter's energy in [start_at, end_at), of the latest revision."""

    start_at: UtcTime
    end_at: UtcTime
    revision: int
    import_wh: int
    export_wh: int
    quality: Quality
    rules: list[str] = Field(description="Ids of the rules that flagged the value")
    start_reading_id: Hash | None = Field(description="The reading that the registers at the start were taken from")
    end_reading_id: Hash | None


class MeterIntervalPage(BaseModel):
    """A meter's intervals in order of time."""

    items: list[MeterInterval]
    next_cursor: str | None


class FlaggedRule(BaseModel):
    """A rule that flagged an interval, in words."""

    rule: str = Field(description="The rule's id", examples=["not_measured"])
    says: str
    doubt: bool = Field(
        description="Whether it makes the energy estimated; otherwise it only remarks, also when it was accepted"
    )


class MeterRevision(BaseModel):
    """What a revision of the attestation says of the meter's interval."""

    revision: int
    import_wh: int
    export_wh: int
    quality: Quality
    rules: list[FlaggedRule]
    start_reading_id: Hash | None = Field(description="The reading that the registers at the start were taken from")
    end_reading_id: Hash | None
    attested_at: UtcTime


class DoubtedReading(BaseModel):
    """A reading of the interval that the gateway or the hub doubted."""

    reading_id: Hash
    slot_at: UtcTime
    meter_state: str = Field(description="OCMF letter; other than G the gateway was in doubt")
    doubt: str = Field(description="Id of the rule by which the hub doubted it")
    import_wh: int
    export_wh: int


class MeterEvent(BaseModel):
    """A counter event that the gateway signed in the interval: how a doubt of the registers ended."""

    slot_at: UtcTime = Field(description="Of the reading that confirmed it")
    event: str = Field(examples=["rollover"])
    import_before_wh: int
    import_after_wh: int
    export_before_wh: int
    export_after_wh: int
    serial_before: str
    serial: str


class MeterDecision(BaseModel):
    """What an operator decided about the meter's energy in [start_at, end_at)."""

    decision_id: int
    kind: DecisionKind
    start_at: UtcTime
    end_at: UtcTime
    import_wh: int | None = Field(description="Of the whole span; null unless it was replaced")
    export_wh: int | None
    reason: str
    decided_at: UtcTime


class IntervalQuality(BaseModel):
    """How good a meter's energy is in [start_at, end_at), revision by revision, and the evidence."""

    start_at: UtcTime
    end_at: UtcTime
    revisions: list[MeterRevision] = Field(description="The newest first")
    readings: list[DoubtedReading] = Field(description="At most 20, in order of time")
    events: list[MeterEvent]
    decisions: list[MeterDecision] = Field(description="About the interval, the newest first: that one stands")


class IntervalQualities(BaseModel):
    """A meter's intervals in order of time, each with its quality and the evidence."""

    items: list[IntervalQuality]
    next_cursor: str | None = Field(description="Null on the last page")
