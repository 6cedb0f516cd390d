"""The oracle's core and its second telling agree on random histories of a meter, and the parts sum up to the whole."""

from dataclasses import replace
from itertools import pairwise
from typing import Any, TypeVar

from hypothesis import given, settings
from hypothesis import strategies as st

from edge.wire.kinds import COUNTER_EVENTS
from hub.metering.curve import Curve
from hub.metering.doubts import counted
from hub.metering.intervals import Circumstances, Span, measure
from hub.metering.readings import Decision, DecisionKind, MeterEvent, MeterHistory, MeterReading
from hub.metering.runs import Limits, runs_of
from support import second_oracle
from support.day_shape import DayShape
from support.meter_rows import METER, START_S, reading, signed, wh

WIDTH = 10**6
T = TypeVar("T")
DRAWN_FIRST = st.sampled_from([(1_000_003, 500_001), (WIDTH - 250, 7), (WIDTH - 90, WIDTH - 60), (5, 0), (4000, 2000)])
STEPS = st.lists(st.sampled_from([1, 1, 1, 1, 1, 1, 1, 1, 2, 4]), min_size=4, max_size=9)
LASTING = {"zero", "spike", "stale"}
CHANGES = ("zero", "zero", "spike", "spike", "reset", "swap", "roll", "step_back", "jump", "stale", "stale")


def mostly(usual: T, *others: T) -> st.SearchStrategy[T]:
    """Draws the usual value nine times of ten."""
    return st.integers(0, 9).flatmap(lambda n: st.sampled_from(others) if n == 9 else st.just(usual))


NOISE = st.fixed_dictionaries({
    "late_ms": mostly(0, 400, 14_000, 40_000, 61_000, -70_000, 700_000),
    "active_power_w": mostly(12_000, None, 0, 6_000, 18_000, -9_000, 60_000),
    "state": mostly("G", "E", "O"),
    "time_quality": mostly("S", "I", "U", "R"),
    "flags": mostly(0, 2, 4),
    "doubt": mostly("", "clock"),
    "boot_id": mostly(b"1" * 16, b"2" * 16),
})  # fmt: skip
"""What gateways and the hub say of a reading."""


@st.composite
def meter_readings(draw: st.DrawFn) -> list[MeterReading]:
    """Draws readings of a counter to which now and then something happens."""
    import_wh, export_wh = draw(DRAWN_FIRST)
    found: list[MeterReading] = []
    slot, change, is_calm = -2, "", draw(st.booleans())
    for steps in draw(STEPS):
        slot += steps
        import_wh += steps * draw(st.integers(0, 420))
        export_wh += steps * draw(st.sampled_from([0, 0, 100, 400]))
        shown = [import_wh, export_wh]
        change = draw(st.sampled_from([change if change in LASTING else "", "", "", "", "", *CHANGES]))
        match change:
            case "zero":
                shown = [0, 0]
            case "spike":
                shown = [import_wh + draw(st.sampled_from([300, 2500, 10**13])), export_wh]
            case "reset":
                shown = [import_wh, export_wh] = [draw(st.integers(0, 400)), 0]
            case "swap" | "jump":
                shown = [import_wh, export_wh] = [import_wh + draw(st.sampled_from([-700, 600, 50_000])), export_wh]
            case "roll":
                shown = [import_wh, export_wh] = [import_wh % WIDTH, export_wh % WIDTH]
            case "step_back":
                shown = [import_wh, export_wh] = [max(0, import_wh - 200), export_wh]
            case "stale" if found:
                shown = [found[-1].import_wh, found[-1].export_wh]
        shown = [max(0, wh) for wh in shown]
        fields = {"active_power_w": 12_000} if is_calm else draw(NOISE)
        sequence = 1000 + slot + (0 if is_calm else draw(mostly(0, 2, -3)))
        found.append(reading(slot * 60, *shown, meter_sequence=sequence, **fields))
    return found


@st.composite
def meter_events(draw: st.DrawFn, readings: list[MeterReading]) -> list[MeterEvent]:
    """Draws events whose registers are mostly those of the readings."""
    found = []
    for _ in range(draw(st.integers(0, 2)) if len(readings) > 1 else 0):
        last = draw(st.integers(0, len(readings) - 2))
        first = draw(st.integers(last + 1, len(readings) - 1))
        confirmed = draw(st.integers(first, len(readings) - 1))
        a, b = readings[last], readings[first]
        offsets = [r.slot_s - START_S for r in (a, b, readings[confirmed])]
        name = draw(st.sampled_from(sorted(COUNTER_EVENTS)))
        if confirmed + 1 < len(readings) and draw(st.booleans()):
            # a later event takes this one back, which most often was a reset
            name = draw(st.sampled_from([name, "reset"]))
            back = readings[draw(st.integers(confirmed + 1, len(readings) - 1))].slot_s - START_S
            found.append(signed("misread", offsets[0], back, readings[-1].slot_s - START_S))
        found.append(
            signed(
                name,
                None if name == "first" else offsets[0],
                *offsets[1:],
                import_before_wh=a.import_wh + draw(st.sampled_from([0, 0, 0, 3, -3])),
                import_after_wh=b.import_wh,
                export_before_wh=a.export_wh,
                export_after_wh=b.export_wh,
                import_width_wh=WIDTH if b.import_wh < a.import_wh else 0,
                export_width_wh=WIDTH if b.export_wh < a.export_wh else 0,
                serial_before=draw(st.sampled_from(["", "A"])),
                serial=draw(st.sampled_from(["", "A", "B"])),
                entered=draw(st.sampled_from([False, False, True])),
            )
        )
    return found


@st.composite
def meter_decisions(draw: st.DrawFn) -> list[Decision]:
    """Draws decisions of whole minutes, mostly about much of the history."""
    found = []
    kinds: list[DecisionKind] = ["accept", "accept", "replace", "withdraw"]
    for kind in draw(st.lists(st.sampled_from(kinds), max_size=3)):
        begin_s = START_S + 60 * draw(st.sampled_from([-3, 0, 0, 0, 1, 2]))
        end_s = begin_s + 60 * draw(st.sampled_from([1, 2, 5, 5, 7, 15]))
        energy = wh(draw(st.integers(0, 900)), draw(st.sampled_from([0, 77]))) if kind == "replace" else None
        found.append(Decision(kind, begin_s, end_s, energy))
    return found


@st.composite
def histories(draw: st.DrawFn, *, decided: bool = True) -> MeterHistory:
    """Draws readings with events that speak of them, and with what people decided about them."""
    readings = draw(meter_readings())
    return MeterHistory(readings, draw(meter_events(readings)), draw(meter_decisions()) if decided else [])


SHAPES = st.one_of(
    st.none(),
    st.lists(st.integers(0, 9), min_size=1, max_size=7).map(
        lambda weights: DayShape(
            tuple(weights[n % len(weights)] for n in range(1440)),
            tuple(weights[n % 5 % len(weights)] for n in range(720)),
        )
    ),
)
METERS = st.builds(
    replace,
    st.just(METER),
    kind=st.sampled_from(["load", "generation", "bidirectional", "feeder"]),
    rated_power_w=st.sampled_from([20_000, 20_000, 6_000, 70_000]),
)
CIRCUMSTANCES = st.builds(
    Circumstances, typical_wh=st.sampled_from([None, 0, 333, 99_999]), sun_is_up=st.sampled_from([None, True, False]),
    shape=SHAPES,
)  # fmt: skip


@given(histories(), METERS, CIRCUMSTANCES, st.sampled_from([60, 120, 300]))
@settings(max_examples=400)
def test_both_tellings_agree(history: MeterHistory, meter: Any, circumstances: Circumstances, length_s: int) -> None:
    span = Span(START_S, length_s, 60)
    told = second_oracle.tell(span, meter, history, circumstances)
    found = measure(span, meter, history, circumstances).reading
    assert set(found.rules) == told.rules
    assert (found.energy.import_wh, found.energy.export_wh) == told.energy
    assert found.quality.value == told.quality


@given(histories(decided=False), SHAPES, st.lists(st.integers(-120, 900), max_size=5))
@settings(max_examples=150)
def test_touching_intervals_sum_up_to_the_registers(
    history: MeterHistory, shape: DayShape | None, cuts_s: list[int]
) -> None:
    """Between any two readings of one run, however it is cut and whatever happened before and after."""
    meter = replace(METER, rated_power_w=200_000)
    known = counted(history)
    limits = Limits.of(meter.rated_power_w, known.readings)
    runs = runs_of(known.readings, known.openings, limits).runs
    curve = Curve(runs, limits, 60)
    for run in runs:
        points = [p for p in curve.points if p.at_ms % 1000 == 0 and p.reading in run.readings]
        if len(points) < 2:
            continue
        begin_s, end_s = points[0].at_ms // 1000, points[-1].at_ms // 1000
        cuts = sorted({begin_s, end_s, *(START_S + s for s in cuts_s if begin_s < START_S + s < end_s)})
        parts = [
            measure(Span(a, b - a, 60), meter, history, Circumstances(shape=shape)).reading for a, b in pairwise(cuts)
        ]
        if any({"rated_power", "power_disagrees", "frozen"} & set(part.rules) for part in parts):
            continue
        assert sum(part.energy.import_wh for part in parts) == points[-1].import_wh - points[0].import_wh
        assert sum(part.energy.export_wh for part in parts) == points[-1].export_wh - points[0].export_wh
