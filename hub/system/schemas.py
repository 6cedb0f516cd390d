"""API models of the site, its totals and the process's health."""

from pydantic import BaseModel, Field

from hub.http.types import UtcTime


class IntervalSpan(BaseModel):
    """[start_at, end_at)."""

    start_at: UtcTime
    end_at: UtcTime


class Tariffs(BaseModel):
    """What is in force, in thousandths of the currency per kWh."""

    export_mills: int = Field(description="What the utility pays")
    import_mills: int = Field(description="What the utility takes")
    wheeling_mills: int
    platform_mills: int
    loss_mills: int
    effective_from: UtcTime


class Site(BaseModel):
    """The campus and its rules; needs no sign-in."""

    name: str
    timezone: str = Field(examples=["Europe/Zurich"])
    interval_s: int
    poll_period_s: int
    now: UtcTime
    running_interval: IntervalSpan
    tariffs: Tariffs | None = Field(description="Null until governance has set the first rates")
    currency: str = Field(examples=["CHF"])
    sun_offset_s: int = Field(description="Site time minus wall time; not zero in the demo only")
    demo: bool


class Totals(BaseModel):
    """The whole system in numbers."""

    meters: int
    readings: int
    frames: int
    quarantined: int
    intervals_closed: int
    import_wh: int
    export_wh: int
    sold_wh: int
    utility_wh: int = Field(description="Positive: all participants together sold to the utility")
    transactions: int = Field(description="Finalised on the chain")
    last_reconciled_at: UtcTime | None = Field(description="When chain and database last agreed on an interval")


class Dependency(BaseModel):
    """Something that this process needs."""

    name: str
    ok: bool
    detail: str | None = None


class Readiness(BaseModel):
    """Whether this process can do its work, and what is missing when not."""

    ready: bool
    dependencies: list[Dependency]
