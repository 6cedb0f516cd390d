"""Readings and signed events of one meter, for tests of the oracle's core: a row a minute from a fixed start on."""

from collections.abc import Sequence
from hashlib import sha256
from typing import Any
from uuid import UUID

from edge.wire.kinds import CounterEvent
from hub.metering.intervals import NOTHING_ELSE, Circumstances, Span, measure
from hub.metering.readings import (
    Decision,
    Energy,
    ExpectedMeter,
    IntervalReading,
    MeterEvent,
    MeterHistory,
    MeterReading,
)
from hub.units import Wh

START_S = 1_780_308_000
"""Monday, 1 June 2026, 10:00 UTC."""
BOOT = b"b" * 16
METER = ExpectedMeter("METER_001", UUID(int=1), rated_power_w=20_000)
QUARTER = Span(START_S, length_s=900, poll_period_s=60)


def reading(offset_s: int, import_wh: int, export_wh: int = 0, *, late_ms: int = 0, **fields: Any) -> MeterReading:
    """Returns a reading of the slot that many seconds after ``START_S``.

    Sequences count minutes from 1000 on, unless ``fields`` says otherwise.
    """
    slot_s = START_S + offset_s
    values: dict[str, Any] = {"boot_id": BOOT, "meter_sequence": 1000 + offset_s // 60} | fields
    content = repr((offset_s, late_ms, import_wh, export_wh, sorted(values.items()))).encode()
    return MeterReading(
        sha256(content).digest(),
        slot_s=slot_s,
        read_ms=slot_s * 1000 + late_ms,
        import_wh=Wh(import_wh),
        export_wh=Wh(export_wh),
        **values,
    )


def rows(first_s: int, registers: Sequence[int], *, step_s: int = 60, **fields: Any) -> list[MeterReading]:
    """Returns readings of the import register, one each ``step_s``."""
    return [reading(first_s + n * step_s, wh, **fields) for n, wh in enumerate(registers)]


def steady(
    first_s: int, last_s: int, *, at_wh: int = 1_000_003, power_w: int = 3600, **fields: Any
) -> list[MeterReading]:
    """Returns readings of every minute of a load of ``power_w``; at ``START_S`` the register is ``at_wh``."""
    return [reading(s, at_wh + power_w * s // 3600, **fields) for s in range(first_s, last_s + 1, 60)]


def signed(event: str, last_s: int | None, first_s: int, confirmed_s: int, **fields: Any) -> MeterEvent:
    """Returns an event by the offsets of its last old reading, its first new one and the one that confirmed it.

    ``fields``: registers before and after, widths and serial numbers of ``CounterEvent``; ``entered``.
    """
    registers = {f"{name}_wh": 0 for name in ("import_before", "import_after", "export_before", "export_after")}
    entered = fields.pop("entered", False)
    return MeterEvent(
        BOOT,
        CounterEvent(
            meter_index=0,
            slot_s=START_S + confirmed_s,
            event=event,
            last_sequence=0 if last_s is None else 1000 + last_s // 60,
            first_sequence=1000 + first_s // 60,
            confirmed_sequence=1000 + confirmed_s // 60,
            **(registers | fields),
        ),
        entered=entered,
    )


def quarters(
    readings: Sequence[MeterReading],
    events: Sequence[MeterEvent] = (),
    *,
    count: int = 1,
    first: int = 0,
    meter: ExpectedMeter = METER,
    circumstances: Circumstances = NOTHING_ELSE,
    decisions: Sequence[Decision] = (),
) -> list[IntervalReading]:
    """Measures ``count`` quarter hours from ``START_S`` on, skipping ``first``."""
    history = MeterHistory(readings, events, decisions)
    spans = (Span(START_S + n * 900, 900, 60) for n in range(first, first + count))
    return [measure(span, meter, history, circumstances).reading for span in spans]


def imported(intervals: Sequence[IntervalReading]) -> list[int]:
    """Returns the import of each, in Wh."""
    return [interval.energy.import_wh for interval in intervals]


def wh(import_wh: int, export_wh: int = 0) -> Energy:
    """Returns an energy."""
    return Energy(Wh(import_wh), Wh(export_wh))
