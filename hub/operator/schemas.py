"""API models of quarantine, gateways and the market's state."""

from typing import Any, Literal

from pydantic import BaseModel, Field

from hub.http.types import Hash, Hex, UtcTime


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
