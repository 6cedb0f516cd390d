"""API models of operators' decisions about a meter's energy."""

from typing import Annotated

from pydantic import BaseModel, Field, StringConstraints, model_validator

from hub.http.types import UtcTime
from hub.ingest.doubts import MAX_REGISTER_WH
from hub.metering.readings import DecisionKind

Reason = Annotated[str, StringConstraints(min_length=3, max_length=500, strip_whitespace=True)]


class SpanEntry(BaseModel):
    """The span that is decided about, and why."""

    start_at: UtcTime = Field(description="Where an interval begins")
    end_at: UtcTime = Field(description="Where an interval ends, this one or a later one")
    reason: Reason = Field(description="Why, and how it is known")

    @model_validator(mode="after")
    def _has_a_length(self) -> "SpanEntry":
        if self.end_at <= self.start_at:
            raise ValueError("end_at must be after start_at")
        return self


class DecisionEntry(SpanEntry):
    """A decision about a meter's energy in [start_at, end_at)."""

    kind: DecisionKind = Field(
        description="accept: the doubted readings count after all; replace: this energy flowed; withdraw: undoes both"
    )
    import_wh: int | None = Field(
        default=None, ge=0, le=MAX_REGISTER_WH, description="replace: of the whole span, shared out evenly"
    )
    export_wh: int | None = Field(
        default=None, ge=0, le=MAX_REGISTER_WH, description="replace: it is the utility's, and never sold to peers"
    )

    @model_validator(mode="after")
    def _has_energy_if_replaced(self) -> "DecisionEntry":
        given = self.import_wh is not None, self.export_wh is not None
        if given != ((True, True) if self.kind == "replace" else (False, False)):
            raise ValueError("replace needs both import_wh and export_wh, and the other kinds take neither")
        return self


class TakenDecision(BaseModel):
    """A decision that was stored."""

    meter_id: str
    decision_id: int
    intervals_marked: int = Field(description="How many are computed again for it; those around it are among them")


class TakenDecisions(BaseModel):
    """The decisions that were stored, one for each meter."""

    items: list[TakenDecision]


class Decided(BaseModel):
    """A decision, and who took it."""

    decision_id: int
    meter_id: str
    kind: DecisionKind
    start_at: UtcTime
    end_at: UtcTime
    import_wh: int | None = Field(description="Of the whole span; null unless it was replaced")
    export_wh: int | None
    reason: str
    decided_by: str = Field(description="Name of the operator")
    decided_at: UtcTime


class DecidedPage(BaseModel):
    """Decisions, newest first."""

    items: list[Decided]
    next_cursor: str | None
