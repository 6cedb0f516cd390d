"""The proof of a reading as the API shows it and `peerwatt-edge verify` reads it."""

from typing import Literal

from pydantic import BaseModel, Field

from hub.http.types import Hash, Hex, UtcTime
from hub.metering.schemas import FlaggedRule, Quality, Reading


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
        description="16 random bytes in the leaf that only this meter's owner gets: without them nobody can find the "
        "energy of another meter's leaf by trying values"
    )
    index: int
    count: int
    path: list[Hash] = Field(description="Bottom up")


class ProofRevision(BaseModel):
    """What a revision of the interval says of the meter, whether the chain holds it, and what is computed from it."""

    revision: int
    attested_at: UtcTime = Field(description="When the oracle made it; the bill of that time has what it corrected")
    import_wh: int
    export_wh: int
    quality: Quality
    rules: list[FlaggedRule]
    merkle_root: Hash
    interval_account: str = Field(description="Address of the oracle's Interval account, once it is final there")
    chain_state: Literal["waiting", "final", "refused"]
    final_at: UtcTime | None
    refusal: str | None = Field(
        description="Why the oracle program takes it no more; it counts on the bill all the same"
    )
    traded: bool = Field(description="The interval's trades and settlement line are computed from it: from the first")
    billed: bool = Field(description="The bill's energy, and its amount with the utility, follow it: the newest")


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
    """The accounts that hold the roots on the chain, and the transactions."""

    interval_account: str = Field(description="Address of the oracle's Interval account")
    settlement_account: str | None = Field(description="Address of the trading program's IntervalSettlement account")
    transactions: list[ProofTransaction]


class ReadingProof(BaseModel):
    """The document that `peerwatt-edge verify` and the browser check: reading, signature, interval, line, chain."""

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
    revisions: list[ProofRevision] = Field(
        default=[], description="Every revision of the interval, oldest first; `interval` is one of them"
    )
    line: LineRung | None = Field(default=None, description="Null when the owner did not trade in the interval")
    chain: ChainRung | None = None
