"""Finds which of a meter's readings count, pure: by what its gateway signed, and by what the hub saw when they came.

A person may accept a reading that one of them doubts; not one whose registers or time are impossible.

The readings that count go on to ``runs``; each of the others is flagged with the id of a rule.
"""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

from edge.wire.kinds import GOOD, RELATIVE, SYNCHRONISED, CounterEvent
from hub.metering.decided import is_accepted
from hub.metering.readings import MeterEvent, MeterHistory, MeterReading
from hub.metering.runs import MISREAD

DOUBT_LASTS_S = 8 * 86_400
"""A doubt is over after this time: an event says nothing of readings that were taken longer before it."""
MOST_OFFSET_MS = 600_000
"""A reading that was taken farther from its slot than this was taken while the clock was set."""
NO_BREAK = frozenset({"misread", "unexplained"})
"""Events that explain no break: ``misread`` says that there was none, and ``unexplained`` leaves it to ``runs``."""

RANGE, CLOCK, UNCONFIRMED = "range", "clock", "unconfirmed"


@dataclass(frozen=True, slots=True)
class Counted:
    """The readings that count, in order of time, and the rule id of each of the others, by reading id.

    ``openings`` are the events by the id of the first reading that counts after each.
    """

    readings: tuple[MeterReading, ...]
    doubted: dict[bytes, str]
    openings: dict[bytes, MeterEvent]


def counted(history: MeterHistory) -> Counted:
    """Tells the readings that count from those in doubt; a later event overrules an earlier one."""
    ordered = sorted(history.readings, key=lambda r: (r.read_ms, r.meter_sequence, r.reading_id))
    events = sorted(history.events, key=lambda signed: (signed.entered, signed.event.slot_s))
    verdicts = _verdicts(ordered, events)
    accepted = {r.reading_id for r in ordered if is_accepted(history.decisions, r.slot_s)}
    doubted = {r.reading_id: rule for r in ordered if (rule := _seen_at_once(r, r.reading_id in accepted))}
    in_time = [r for r in ordered if r.reading_id not in doubted]
    doubted |= dict.fromkeys(_against_the_order(in_time), CLOCK)
    for reading in in_time:
        rule = _by_signature(reading, verdicts)
        if rule and reading.reading_id not in accepted:
            doubted.setdefault(reading.reading_id, rule)
    counting = [r for r in ordered if r.reading_id not in doubted]
    return Counted(tuple(counting), doubted, _openings(counting, events))


def _seen_at_once(reading: MeterReading, accepted: bool) -> str:
    """Returns the id of the rule by which this reading alone cannot count; empty when it may.

    When it came, the hub may have doubted its time because the hub's own clock was wrong: that can be accepted.
    """
    if reading.doubt and not (accepted and reading.doubt == CLOCK):
        return reading.doubt
    if not reading.is_possible:
        return RANGE
    if reading.time_quality == RELATIVE or abs(reading.read_ms - reading.slot_s * 1000) > MOST_OFFSET_MS:
        return CLOCK
    return ""


def _by_signature(reading: MeterReading, verdicts: dict[bytes, bool]) -> str:
    confirmed = verdicts.get(reading.reading_id)
    if confirmed is None:
        return "" if reading.state == GOOD else UNCONFIRMED
    return "" if confirmed else MISREAD


def _against_the_order(ordered: Sequence[MeterReading]) -> list[bytes]:
    """Returns the ids of readings whose time contradicts the order in which a boot of the gateway took them."""
    boots: dict[bytes, list[MeterReading]] = defaultdict(list)
    for reading in ordered:
        boots[reading.boot_id].append(reading)
    wrong: list[bytes] = []
    for boot in boots.values():
        if any(b.meter_sequence < a.meter_sequence for a, b in pairwise(boot)):
            by_sequence = sorted(boot, key=lambda r: (r.meter_sequence, r.read_ms, r.reading_id))
            kept = _longest_in_order(by_sequence)
            wrong += [r.reading_id for number, r in enumerate(by_sequence) if number not in kept]
    return wrong


def _longest_in_order(by_sequence: Sequence[MeterReading]) -> set[int]:
    """Returns the most readings whose times do not fall; of equals those with more synchronised and later ones."""
    best: list[tuple[int, int, int]] = []  # per last reading: how many, how many synchronised, the one before
    for i, reading in enumerate(by_sequence):
        before = max(
            ((*best[j][:2], j) for j in range(i) if by_sequence[j].read_ms <= reading.read_ms), default=(0, 0, -1)
        )
        best.append((before[0] + 1, before[1] + (reading.time_quality == SYNCHRONISED), before[2]))
    at = max(range(len(best)), key=lambda i: (*best[i][:2], i))
    kept: set[int] = set()
    while at >= 0:
        kept.add(at)
        at = best[at][2]
    return kept


def _verdicts(ordered: Sequence[MeterReading], events: Sequence[MeterEvent]) -> dict[bytes, bool]:
    """Returns by reading id what the newest event that speaks of a reading says: it counts, or it does not."""
    verdicts: dict[bytes, bool] = {}
    for signed in events:
        event = signed.event
        # Sequences begin again with a new ledger: of two readings with one sequence the event means the newer
        meant = {
            r.meter_sequence: r
            for r in ordered
            if event.last_sequence < r.meter_sequence <= event.confirmed_sequence and _speaks_of(event, r)
        }
        verdicts |= {r.reading_id: sequence >= event.first_sequence for sequence, r in meant.items()}
    return verdicts


def _speaks_of(event: CounterEvent, reading: MeterReading) -> bool:
    """Whether the reading was taken in the time of the event's doubt."""
    return event.slot_s - DOUBT_LASTS_S <= reading.slot_s <= event.slot_s


def _openings(counting: Sequence[MeterReading], events: Sequence[MeterEvent]) -> dict[bytes, MeterEvent]:
    openings: dict[bytes, MeterEvent] = {}
    for signed in events:
        if (signed.event.event in NO_BREAK and not signed.entered) or _is_overruled(signed, events):
            continue
        first = _first_after(counting, signed.event)
        if first is not None:
            openings[first.reading_id] = signed
    return openings


def _is_overruled(signed: MeterEvent, events: Sequence[MeterEvent]) -> bool:
    """Whether a later event says that the readings which confirmed this one were wrong: then it never happened."""
    event = signed.event
    return not signed.entered and any(
        later.event.last_sequence < event.first_sequence <= event.confirmed_sequence < later.event.first_sequence
        and event.slot_s <= later.event.slot_s <= event.slot_s + DOUBT_LASTS_S
        for later in events
        if not later.entered
    )


def _first_after(counting: Sequence[MeterReading], event: CounterEvent) -> MeterReading | None:
    """Returns the first reading of the new registers that counts; the very first may be lost or in doubt."""
    confirming = {
        r.meter_sequence: r
        for r in counting
        if event.first_sequence <= r.meter_sequence <= event.confirmed_sequence and _speaks_of(event, r)
    }
    if confirming:
        return confirming[min(confirming)]
    return next((r for r in counting if r.slot_s > event.slot_s), None)
