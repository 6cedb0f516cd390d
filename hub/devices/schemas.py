"""API models of enrolment and of decisions on gateway keys."""

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

from hub.http.types import Hex, UtcTime

ShortText = Annotated[str, Field(max_length=256)]


class EnrolmentRequest(BaseModel):
    """A gateway's keys, and the proof that it holds them."""

    model_config = ConfigDict(extra="forbid")

    gateway_id: ShortText
    token: ShortText = Field(description="From `peerwatt-hub token GATEWAY_ID`; one hour, one use")
    public_key: ShortText = Field(description="The Ed25519 key that signs frames, in hex")
    nats_public_key: ShortText = Field(description="The gateway's NATS user key, `U...`")
    proof: ShortText = Field(
        description="Ed25519 signature in hex by that key over `peerwatt/enrol/1`, then gateway_id, token and "
        "nats_public_key, each after one byte that gives its length"
    )


class Enrolment(BaseModel):
    """What a gateway needs to send frames. Without an accepted key there is no NATS identity: ask again later."""

    status: Literal["active", "pending"]
    gateway_id: str
    key_id: Hex
    nats_url: str
    nats_jwt: str | None = Field(description="null as long as an operator has not accepted the key")
    nats_ca_pem: str
    receipt_public_key: Hex = Field(description="Ed25519 key that signs receipts")
    hub_time: UtcTime


class AcceptedKey(BaseModel):
    """The key that speaks for a gateway from now on."""

    gateway_id: str
    key_id: Hex
    status: Literal["active"]
    retired_key_ids: list[Hex] = Field(description="Good for frames that were sealed before")


class RevokedKey(BaseModel):
    """A key that speaks for nobody any more."""

    gateway_id: str
    key_id: Hex
    status: Literal["revoked"]
