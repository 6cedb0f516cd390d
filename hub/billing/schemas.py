"""A participant's intervals, day and bill lines as the API shows them."""

from typing import Literal
from uuid import UUID

from pydantic import BaseModel, Field

from hub.billing.corrections.schemas import CarriedCorrections, CorrectionNotice
from hub.http.types import Hash, UtcTime
from hub.market.schemas import MeterProofLink
from hub.metering.schemas import Quality

IntervalState = Literal["attested", "cleared", "planned", "settling", "closed", "reconciled"]


class ParticipantInterval(BaseModel):
    """A participant's energy and money in [start_at, end_at), summed over their meters, of the latest revision."""

    start_at: UtcTime
    end_at: UtcTime
    state: IntervalState
    quality: Quality = Field(description="The worst of the participant's meters")
    revision: int
    import_wh: int
    export_wh: int
    own_use_wh: int = Field(description="Own generation that own meters used: min(import, export)")
    sold_wh: int
    bought_wh: int
    utility_wh: int = Field(description="Positive: sold to the utility; negative: bought from it")
    price_mills: int | None = Field(description="The clearing's price; null when nothing crossed")
    credit_micros: int = Field(description="From peers")
    debit_micros: int = Field(description="To peers, charges included")
    charges_micros: int = Field(description="Part of the debit")
    utility_micros: int = Field(description="Signed like utility_wh: positive is credited")
    total_micros: int = Field(description="credit - debit + utility: positive is what the participant gets")
    baseline_micros: int = Field(description="The same total at the utility's tariffs only")
    saved_micros: int = Field(description="total - baseline")


class ParticipantIntervalPage(BaseModel):
    """A participant's intervals in order of time."""

    items: list[ParticipantInterval]
    next_cursor: str | None


class RunningInterval(BaseModel):
    """The interval that has not ended, up to its newest reading: provisional."""

    start_at: UtcTime
    end_at: UtcTime
    import_wh: int
    export_wh: int
    until: UtcTime | None = Field(description="The newest reading that counts; null when there is none yet")


class SavedFormula(BaseModel):
    """The parts of the day's saving: saved = total - baseline."""

    credit_micros: int
    debit_micros: int
    utility_micros: int
    total_micros: int = Field(description="credit - debit + utility")
    baseline_micros: int = Field(description="What the same energy would have brought at the utility's tariffs only")
    saved_micros: int
    import_wh: int
    export_wh: int
    export_tariff_mills: int
    import_tariff_mills: int


class Happened(BaseModel):
    """A recent event of the participant."""

    kind: Literal["sold", "bought", "settled", "reconciled"] = Field(
        description="sold, bought: cleared with peers; settled: the money moved; reconciled: everything agreed"
    )
    at: UtcTime
    start_at: UtcTime
    end_at: UtcTime
    wh: int | None = Field(description="settled: sold - bought")
    price_mills: int | None
    micros: int | None = Field(description="settled: credit - debit")
    trade_id: Hash | None = Field(description="When it was one trade")


class Today(BaseModel):
    """Everything that the Today page shows."""

    now: UtcTime
    participant_id: UUID
    day_start_at: UtcTime = Field(description="Midnight at the site")
    power_w: int | None = Field(description="Positive is import; null when a meter has no reading yet")
    power_at: UtcTime | None = Field(description="The oldest of the readings that it sums")
    stale: bool = Field(description="A reading is older than three poll periods")
    direction: Literal["giving", "taking", "balanced", "unknown"]
    price_mills: int | None = Field(description="Of the last clearing in which something crossed")
    price_start_at: UtcTime | None
    all_in_price_mills: int | None = Field(description="price + charges: what a buyer pays")
    last: ParticipantInterval | None = Field(description="The newest closed or closing interval")
    running: RunningInterval
    next_clearing_at: UtcTime = Field(description="The running interval's end: it is cleared as soon as it is attested")
    next_clearing_latest_at: UtcTime = Field(description="With the whole grace for late meters")
    intervals: list[ParticipantInterval] = Field(description="Of the site's day, in order of time")
    saved_micros: int
    saved_formula: SavedFormula
    happened: list[Happened] = Field(max_length=3)
    corrections: list[CorrectionNotice] = Field(
        max_length=3, description="The newest days of the last seven on which the participant's bill was corrected"
    )


class BillLine(ParticipantInterval):
    """One interval of a bill, of the newest revision that was made before the range ended, with its readings."""

    utility_tariff_mills: int
    correction_micros: int = Field(
        description="This revision's utility amount minus the first revision's: in utility_micros already"
    )
    charges_mills: int
    line_index: int | None = Field(description="The settlement line; null when nothing was traded")
    meters: list[MeterProofLink]


class BillTotals(BaseModel):
    """The sums of the lines of the range."""

    import_wh: int
    export_wh: int
    sold_wh: int
    bought_wh: int
    utility_wh: int
    credit_micros: int
    debit_micros: int
    charges_micros: int
    utility_micros: int
    total_micros: int
    saved_micros: int


class BillLinePage(BaseModel):
    """Bill lines in order of time."""

    items: list[BillLine]
    totals: BillTotals = Field(description="Of the whole range, not of the page")
    carried: CarriedCorrections = Field(
        description="Corrections made in the range of intervals that began before it: in no line and in no total"
    )
    bill_micros: int = Field(description="What the bill comes to: totals.total_micros + carried.change_micros")
    next_cursor: str | None
