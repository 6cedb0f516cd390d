"""API models of quarantine, gateways and the market's state."""

from typing import Any, Literal

from pydantic import AwareDatetime, BaseModel, Field

from hub.http.types import Hash, Hex, UtcTime
from hub.ingest.doubts import MAX_REGISTER_WH


class QuarantineEntry(BaseModel):
    """A message that was refused."""

    quarantine_id: int
    at: UtcTime
    subject: str
    gateway_id: str | None = Field(description="As the subject says it; it may be unknown")
    code: str = Field(description="Why, as a stable name", examples=["bad_signature"])
    detail: str
    payload_bytes: int
    payload_hash: Hash


class QuarantinePage(BaseModel):
    """Refused messages, newest first."""

    items: list[QuarantineEntry]
    next_cursor: str | None


class QuarantineDetail(QuarantineEntry):
    """A refused message with its bytes, at most 64 KiB of them."""

    payload: Hex
    truncated: bool


class GatewayKey(BaseModel):
    """A key that signs frames of a gateway."""

    key_id: Hex
    public_key: Hex
    status: Literal["pending", "active", "retired", "revoked"]
    valid_from: UtcTime
    valid_until: UtcTime | None


class Gateway(BaseModel):
    """A gateway, its keys and its last signs of life."""

    gateway_id: str
    building: str
    registered_at: UtcTime
    flagged_at: UtcTime | None = Field(description="Set when its key may be in other hands")
    last_beat_at: UtcTime | None
    last_beat: dict[str, Any] | None
    last_frame_at: UtcTime | None
    meters: int
    keys: list[GatewayKey]


class Gateways(BaseModel):
    """The whole fleet."""

    items: list[Gateway]


class MarketHalt(BaseModel):
    """An interval whose clearing broke a rule of the market."""

    start_at: UtcTime
    halted_at: UtcTime
    reason: str = Field(description="The rule and the figures")


class MarketState(BaseModel):
    """Whether intervals are cleared; over when a restarted worker has cleared the interval that broke the rule."""

    halted: bool
    halts: list[MarketHalt]


class Alarm(BaseModel):
    """A rule that flagged intervals of a meter, and the action that mends the cause."""

    meter_id: str
    gateway_id: str
    building: str
    rule: str = Field(description="The rule's id", examples=["frozen"])
    says: str
    mend: str = Field(description="What to do")
    decisions: list[Literal["accept", "replace", "registers"]] = Field(
        description="What can be decided about the energy: POST /operator/meters/{meter_id}/decisions, or /registers"
    )
    first_start_at: UtcTime = Field(description="Start of the first flagged interval of the last seven days")
    last_start_at: UtcTime
    intervals: int = Field(description="How many were flagged")


class GatewayTrouble(BaseModel):
    """What a gateway said in its last heartbeat of a meter that it does not record as good."""

    gateway_id: str
    meter_id: str
    says: str
    last_beat_at: UtcTime


class ClockDoubt(BaseModel):
    """Readings that came from the future by the hub's clock, and about which nobody has decided."""

    gateway_id: str
    start_at: UtcTime | None = Field(description="Start of the first interval with such a reading, once attested")
    end_at: UtcTime | None = Field(description="End of the last one")
    first_slot_at: UtcTime
    last_slot_at: UtcTime
    readings: int
    gateways_ahead: int = Field(description="Gateways from which such readings came at that time, this one included")
    gateways: int = Field(description="Gateways that send heartbeats")
    hub_clock: bool = Field(description="Whether half of the gateways, and more than one, were ahead of the hub")
    mend: str = Field(description="What to do")


class Alarms(BaseModel):
    """What somebody should look at, the newest first."""

    items: list[Alarm]
    troubles: list[GatewayTrouble]
    clock_doubts: list[ClockDoubt]


class RegistersEntry(BaseModel):
    """What a person read off a meter just before and just after a change, such as a swap."""

    changed_at: AwareDatetime = Field(description="When it was changed")
    import_before_wh: int = Field(ge=0, le=MAX_REGISTER_WH, description="The old meter's last import register, in Wh")
    import_after_wh: int = Field(ge=0, le=MAX_REGISTER_WH, description="The new meter's first one, in Wh")
    export_before_wh: int = Field(ge=0, le=MAX_REGISTER_WH)
    export_after_wh: int = Field(ge=0, le=MAX_REGISTER_WH)
    reason: str = Field(min_length=3, max_length=500, description="Why, and where the registers were read")


class EnteredRegistersAnswer(BaseModel):
    """The entry, and how many intervals are computed again for it."""

    entry_id: int
    intervals_marked: int
