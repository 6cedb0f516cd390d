"""Turns rows of corrections into the lines of a bill and the notices of a day."""

from collections.abc import Sequence

from hub.billing.corrections.schemas import (
    CarriedCorrections,
    CorrectedMeter,
    CorrectedValue,
    CorrectionCause,
    CorrectionLine,
    CorrectionNotice,
    MeterValue,
)
from hub.http.rows import Row, show, with_hex
from hub.metering.endpoints import flagged_rules


def correction(row: Row, meters: Sequence[Row], causes: Sequence[Row]) -> CorrectionLine:
    """Returns a correction with its own of the meters and causes."""
    own = [meter for meter in meters if _revision_of(meter) == _revision_of(row)]
    return show(
        CorrectionLine,
        row,
        before=_value(row, "old", row["revision"] - 1),
        after=_value(row, "new", row["revision"]),
        meters=[_meter(meter, causes) for meter in own],
    )


def carried(row: Row) -> CarriedCorrections:
    """Returns the sums of the corrections that a bill carries."""
    return show(CarriedCorrections, row)


def notice(row: Row) -> CorrectionNotice:
    """Returns a day's notice."""
    return show(CorrectionNotice, row)


def _revision_of(row: Row) -> tuple[object, int]:
    return row["start_at"], row["revision"]


def _value(row: Row, age: str, revision: int) -> CorrectedValue:
    names = [name for name in CorrectedValue.model_fields if name != "revision"]
    return CorrectedValue(revision=revision, **{name: row[f"{age}_{name}"] for name in names})


def _meter(row: Row, causes: Sequence[Row]) -> CorrectedMeter:
    own = [c for c in causes if _revision_of(c) == _revision_of(row) and c["meter_id"] == row["meter_id"]]
    return show(
        CorrectedMeter,
        row,
        before=_meter_value(row, "old"),
        after=_meter_value(row, "new"),
        causes=[show(CorrectionCause, cause) for cause in own],
    )


def _meter_value(row: Row, age: str) -> MeterValue:
    names = [name for name in MeterValue.model_fields if name != "rules"]
    values = {name: with_hex(row[f"{age}_{name}"]) for name in names}
    return MeterValue.model_validate({**values, "rules": flagged_rules(row[f"{age}_rules"])})
