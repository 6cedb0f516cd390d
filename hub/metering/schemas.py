"""Meters, readings and intervals as the API shows them."""

from typing import Literal
from uuid import UUID

from pydantic import BaseModel, Field

from hub.http.types import Hash, UtcTime

Quality = Literal["valid", "estimated", "suspect", "missing"]
MeterKind = Literal["load", "generation", "bidirectional"]
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
