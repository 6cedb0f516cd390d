"""Meters, readings, intervals and proofs as the API shows them."""

from typing import Literal
from uuid import UUID

from pydantic import BaseModel, Field

from hub.http.types import Hash, Hex, UtcTime

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
    """A meter, where it stands, and its newest reading."""

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
    start_reading_id: Hash | None = Field(description="The reading that the value at the start rests on")
    end_reading_id: Hash | None


class MeterIntervalPage(BaseModel):
    """A meter's intervals in order of time."""

    items: list[MeterInterval]
    next_cursor: str | None


class IntervalRung(BaseModel):
    """The reading's interval: the meter's leaf in the root that the oracle attested."""

    start_at: UtcTime
    end_at: UtcTime
    revision: int
    merkle_root: Hash
    leaf: Hash
    meter_id: str
    import_wh: int
    export_wh: int
    quality: Quality
    blinding: Hex = Field(
        description="16 random bytes in the leaf, told to this meter's owner only: without them nobody can guess the "
        "energy behind a neighbour's leaf"
    )
    index: int
    count: int
    path: list[Hash] = Field(description="Bottom up")


class LineRung(BaseModel):
    """The owner's settlement line: its leaf in the root that settlement opened with."""

    start_at: UtcTime
    index: int
    count: int
    wallet: str
    sold_wh: int
    bought_wh: int
    credit_micros: int
    debit_micros: int
    leaf: Hash
    path: list[Hash] = Field(description="Bottom up")
    root: Hash


class ProofTransaction(BaseModel):
    """A transaction of the interval."""

    signature: str
    kind: str
    state: str
    slot: int | None


class ChainRung(BaseModel):
    """Where the roots stand on the chain."""

    interval_account: str = Field(description="Address of the oracle's Interval account")
    settlement_account: str | None = Field(description="Address of the trading program's IntervalSettlement account")
    transactions: list[ProofTransaction]


class ReadingProof(BaseModel):
    """One file that `peerwatt-edge verify` and the browser check: reading, signature, interval, line, chain."""

    format: Literal["peerwatt.proof/1"] = "peerwatt.proof/1"
    reading_id: Hash
    gateway_id: str
    key_id: Hex
    public_key: Hex
    header: Hex = Field(description="The frame's header, exactly as signed")
    header_hash: Hash
    signature: Hex = Field(description="Ed25519 over the header")
    record: Hex = Field(description="The record's bytes, exactly as the gateway made them")
    index: int
    count: int
    path: list[Hash] = Field(description="From the record's leaf to the frame's root, bottom up")
    reading: Reading
    interval: IntervalRung | None = Field(default=None, description="Null until the oracle has attested the interval")
    line: LineRung | None = Field(default=None, description="Null when the owner did not trade in the interval")
    chain: ChainRung | None = None
