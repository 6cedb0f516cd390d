"""Trades and clearings as the API shows them."""

from typing import Literal

from pydantic import BaseModel, Field

from hub.http.types import Hash, UtcTime

TradeState = Literal["cleared", "planned", "sent", "confirmed", "final"]
Side = Literal["sell", "buy"]


class Trade(BaseModel):
    """Energy that was traded in one interval, from the reader's side."""

    trade_id: Hash
    start_at: UtcTime
    end_at: UtcTime
    side: Side = Field(description="What the participant did")
    kind: Literal["forward", "ex_post"]
    zone: str = Field(examples=["campus"])
    wh: int
    price_mills: int = Field(description="What the seller gets, in thousandths of the currency per kWh")
    charges_mills: int = Field(description="What the buyer pays on top, per kWh; 0 for a seller")
    micros: int = Field(description="Credited to a seller, debited from a buyer with the charges; never negative")
    traded_at: UtcTime
    state: TradeState


class TradePage(BaseModel):
    """Trades, newest first."""

    items: list[Trade]
    next_cursor: str | None


class TradeStep(BaseModel):
    """One of the five steps; ``at`` is null until it is reached."""

    name: TradeState
    at: UtcTime | None


class ChainTransaction(BaseModel):
    """A transaction of the settlement of the trade's interval."""

    signature: str
    kind: str = Field(examples=["attest", "mint", "open", "settle", "close"])
    state: Literal["planned", "submitted", "confirmed", "finalized", "expired", "failed"]
    slot: int | None
    compute_units: int | None
    error: str | None
    submitted_at: UtcTime | None
    confirmed_at: UtcTime | None
    finalized_at: UtcTime | None


class SettlementLine(BaseModel):
    """The sums of the participant's trades in the interval, as they settle."""

    start_at: UtcTime
    line_index: int
    line_count: int
    wallet: str
    sold_wh: int
    bought_wh: int
    credit_micros: int
    debit_micros: int
    lines_root: Hash


class MeterProofLink(BaseModel):
    """A meter's energy in an interval, and the readings that prove it.

    A boundary that was not read rests on a reading before it. When that was taken outside of the interval, it is null
    here: it proves nothing about the interval.
    """

    meter_id: str
    import_wh: int
    export_wh: int
    quality: str
    start_reading_id: Hash | None
    end_reading_id: Hash | None


class TradeDetail(Trade):
    """A trade with its steps, charges, settlement line, transactions and meters."""

    steps: list[TradeStep] = Field(description="The five steps in their order")
    wheeling_mills: int
    platform_mills: int
    loss_mills: int
    energy_micros: int = Field(description="wh x price_mills")
    charges_micros: int
    line: SettlementLine | None
    transactions: list[ChainTransaction]
    meters: list[MeterProofLink] = Field(description="The participant's meters in the interval, for their proofs")


class CurvePoint(BaseModel):
    """The energy that is offered or wanted at exactly this price."""

    price_mills: int = Field(description="Net: what the seller gets")
    wh: int
    own_wh: int = Field(description="Of these, the reader's own")


class Clearing(BaseModel):
    """The auction of one interval."""

    start_at: UtcTime
    end_at: UtcTime
    price_mills: int | None = Field(description="Null when nothing crossed")
    price_low_mills: int | None
    price_high_mills: int | None
    volume_wh: int
    charges_mills: int
    export_tariff_mills: int
    import_tariff_mills: int
    journal_hash: Hash
    cleared_at: UtcTime
    supply: list[CurvePoint] = Field(description="Asks, lowest price first")
    demand: list[CurvePoint] = Field(description="Bids, highest price first")
