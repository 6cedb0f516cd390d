"""Correction lines of a bill and the notices of a day, as the API shows them."""

from datetime import date
from typing import Literal

from pydantic import BaseModel, Field

from hub.http.types import Hash, Hex, UtcTime
from hub.metering.schemas import FlaggedRule, Quality

CauseKind = Literal["late_readings", "counter_event", "entered_registers", "energy_decision"]


class CorrectionCause(BaseModel):
    """Something that came after a revision and changed the next one."""

    cause: CauseKind = Field(
        description="late_readings: one boot's readings; counter_event: the gateway's doubt of the registers ended; "
        "entered_registers: a person read them off before and after a change that no gateway saw; "
        "energy_decision: an operator accepted readings, replaced energy or withdrew either"
    )
    boot_id: Hex | None = Field(description="Of the gateway; null for what a person entered, as both sequences")
    first_sequence: int | None = Field(description="The meter's sequence in the boot: of the first reading")
    last_sequence: int | None
    first_at: UtcTime = Field(
        description="Slot of the first reading; of the event, of the change, or where the decision begins"
    )
    last_at: UtcTime
    readings: int = Field(description="How many; 0 unless they are readings")
    detail: str = Field(
        description="The event's kind, or what a person gave as reason; empty for readings", examples=["swap"]
    )


class MeterValue(BaseModel):
    """What a revision says of a meter's interval."""

    import_wh: int
    export_wh: int
    quality: Quality
    rules: list[FlaggedRule]
    start_reading_id: Hash | None = Field(description="The reading that the registers at the start were taken from")
    end_reading_id: Hash | None


class CorrectedMeter(BaseModel):
    """A meter whose energy or quality was corrected, and why; no cause: the same readings were computed again."""

    meter_id: str
    before: MeterValue
    after: MeterValue
    proof_reading_id: Hash | None = Field(
        description="A reading that proves the energy after: on a boundary of the interval, or in it. Null when both "
        "boundaries rest on readings outside of it"
    )
    causes: list[CorrectionCause]


class CorrectedValue(BaseModel):
    """A participant's energy and money with the utility in an interval, as a revision says."""

    revision: int
    import_wh: int
    export_wh: int
    utility_wh: int = Field(description="Positive: sold to the utility; negative: bought from it")
    utility_micros: int = Field(description="Signed like utility_wh: positive is credited")
    quality: Quality = Field(description="The worst of the participant's meters")


class CorrectionLine(BaseModel):
    """What a revision changed of a participant's interval: trades stand, the utility's energy and money follow."""

    start_at: UtcTime
    end_at: UtcTime
    corrected_at: UtcTime = Field(description="When the revision was made: that time's bill has the line")
    before: CorrectedValue
    after: CorrectedValue
    import_change_wh: int
    export_change_wh: int
    utility_change_wh: int
    change_micros: int = Field(description="Positive is what the participant gets, or no longer owes")
    carried: bool = Field(
        description="True: the interval began before the range, and the change is added to this bill. False: the "
        "interval's own line of this bill has it already"
    )
    meters: list[CorrectedMeter]


class CorrectionPage(BaseModel):
    """Correction lines in the order in which they were made."""

    items: list[CorrectionLine]
    next_cursor: str | None


class CarriedCorrections(BaseModel):
    """The sums of a bill's corrections of intervals that began before it."""

    lines: int = Field(description="How many corrections")
    import_change_wh: int
    export_change_wh: int
    utility_change_wh: int
    change_micros: int


class CorrectionNotice(BaseModel):
    """What corrections changed of a participant's bill on one day: one notice a day, however many intervals."""

    day: date = Field(description="The site's day on which they were made")
    first_corrected_at: UtcTime = Field(description="When the first of them was made")
    last_corrected_at: UtcTime
    intervals: int = Field(description="How many intervals changed")
    start_at: UtcTime = Field(description="Of the first of these intervals")
    end_at: UtcTime = Field(description="Of the last of these intervals")
    old_import_wh: int
    new_import_wh: int
    old_export_wh: int
    new_export_wh: int
    change_micros: int = Field(description="Positive is what the participant gets, or no longer owes")
    causes: list[CauseKind] = Field(description="Each once; empty when the same readings were computed again")
