"""The API's endpoints of meters, their readings and their intervals."""

from collections.abc import Sequence
from itertools import groupby
from operator import itemgetter
from typing import Annotated

from fastapi import APIRouter, Depends, Path

from hub.accounts.access import ACCESS_ERRORS, Human
from hub.http import cursors
from hub.http.context import Snapshot
from hub.http.problems import MALFORMED, BadCursorError, BadRangeError, NotFoundError, refusals
from hub.http.rows import Row, show
from hub.http.types import Cursor, Hash, Limit, MeterId, Range, time_range
from hub.metering import queries
from hub.metering.rules import RULES, Effect, Rule
from hub.metering.rules.feeder import ZONE_RULES
from hub.metering.schemas import (
    DoubtedReading,
    FlaggedRule,
    IntervalQualities,
    IntervalQuality,
    Meter,
    MeterDecision,
    MeterEvent,
    MeterInterval,
    MeterIntervalPage,
    MeterRevision,
    Meters,
    Reading,
    ReadingPage,
)

RULES_BY_ID = {rule.id: rule for rule in (*RULES, *ZONE_RULES)}
MAX_DOUBTED = 20
"""Doubted readings that are shown of an interval."""
router = APIRouter(tags=["metering"], responses={**refusals(*ACCESS_ERRORS), **MALFORMED})
PAGED = refusals(NotFoundError, BadRangeError, BadCursorError)


async def visible_meter(
    principal: Human, connection: Snapshot, meter_id: Annotated[MeterId, Path(description="The meter")]
) -> str:
    """Returns the meter id when the signed-in reader may see this meter.

    Raises:
        NotFoundError: there is no such meter, or it belongs to somebody else.
    """
    owner = await queries.meter_owner(connection, meter_id)
    if owner is None or not (principal.reads_all or owner == principal.participant_id):
        raise NotFoundError(f"There is no meter {meter_id}, or not for you")
    return meter_id


VisibleMeter = Annotated[str, Depends(visible_meter)]


async def visible_reading(principal: Human, connection: Snapshot, reading_id: Hash) -> Row:
    """Returns the row of a reading that the reader may see, with its place in its frame.

    Raises:
        NotFoundError: there is none, or its meter is somebody else's.
    """
    row = await queries.reading(connection, bytes.fromhex(reading_id), principal.visible_participant_id)
    if row is None:
        raise NotFoundError(f"There is no reading {reading_id}, or not for you")
    return row


VisibleReading = Annotated[Row, Depends(visible_reading)]


@router.get("/meters", operation_id="listMeters", summary="Meters with their newest reading")
async def meters(principal: Human, connection: Snapshot) -> Meters:
    """Returns the reader's own meters; operators and auditors see all."""
    if not principal.reads_all and principal.participant_id is None:
        return Meters(items=[])
    rows = await queries.meters(connection, None if principal.reads_all else principal.participant_id)
    return Meters(items=[_meter(row) for row in rows])


@router.get(
    "/meters/{meter_id}/readings",
    operation_id="listMeterReadings",
    summary="A meter's readings, oldest first",
    responses=PAGED,
)
async def readings(
    meter_id: VisibleMeter,
    connection: Snapshot,
    span: Annotated[Range, Depends(time_range)],
    limit: Limit = 500,
    cursor: Cursor = None,
) -> ReadingPage:
    """Returns the readings whose slot is in [from, to)."""
    after = None if cursor is None else cursors.decode("readings", cursor, queries.READING_KEY)
    rows = await queries.readings(connection, meter_id, span.start, span.end, after, limit + 1)
    items = [reading(row) for row in rows[:limit]]
    last = rows[limit - 1] if len(rows) > limit else None
    next_cursor = None if last is None else cursors.encode("readings", last["slot_at"], last["reading_id"])
    return ReadingPage(items=items, next_cursor=next_cursor)


@router.get(
    "/meters/{meter_id}/intervals",
    operation_id="listMeterIntervals",
    summary="A meter's interval energy, oldest first",
    responses=PAGED,
)
async def intervals(
    meter_id: VisibleMeter,
    connection: Snapshot,
    span: Annotated[Range, Depends(time_range)],
    limit: Limit = 500,
    cursor: Cursor = None,
) -> MeterIntervalPage:
    """Returns the attested intervals that start in [from, to), each in its latest revision."""
    start = span.start if cursor is None else cursors.decode("meter-intervals", cursor, queries.INTERVAL_KEY)[0]
    rows = await queries.meter_intervals(connection, meter_id, start, span.end, limit + 1)
    next_cursor = cursors.encode("meter-intervals", rows[limit]["start_at"]) if len(rows) > limit else None
    return MeterIntervalPage(items=[show(MeterInterval, row) for row in rows[:limit]], next_cursor=next_cursor)


@router.get(
    "/meters/{meter_id}/quality",
    operation_id="listMeterQuality",
    summary="How good a meter's interval energy is, by which rules, and the evidence",
    responses=PAGED,
)
async def quality(
    meter_id: VisibleMeter,
    connection: Snapshot,
    span: Annotated[Range, Depends(time_range)],
    limit: Limit = 100,
    cursor: Cursor = None,
) -> IntervalQualities:
    """Returns the attested intervals that start in [from, to), each with its revisions and the doubted readings."""
    start = span.start if cursor is None else cursors.decode("meter-quality", cursor, queries.INTERVAL_KEY)[0]
    rows = await queries.interval_revisions(connection, meter_id, start, span.end, limit + 1)
    starts = list(dict.fromkeys(row["start_at"] for row in rows))
    next_cursor = cursors.encode("meter-quality", starts[limit]) if len(starts) > limit else None
    rows = [row for row in rows if row["start_at"] in starts[:limit]]
    if not rows:
        return IntervalQualities(items=[], next_cursor=None)
    reach = rows[0]["start_at"], rows[-1]["end_at"]
    doubted = await queries.doubted_readings(connection, meter_id, *reach)
    happened = await queries.events(connection, meter_id, *reach)
    decided = await queries.decisions(connection, meter_id, *reach)
    by_start = groupby(rows, itemgetter("start_at"))
    items = [interval_quality(list(of), doubted, happened, decided) for _, of in by_start]
    return IntervalQualities(items=items, next_cursor=next_cursor)


@router.get(
    "/readings/{reading_id}", operation_id="getReading", summary="One reading", responses=refusals(NotFoundError)
)
async def get_reading(row: VisibleReading) -> Reading:
    """Returns a reading of a meter that the reader may see."""
    return reading(row)


def reading(row: Row) -> Reading:
    """Returns a stored reading as the API shows it."""
    return show(Reading, row)


def interval_quality(
    revisions: Sequence[Row], doubted: Sequence[Row], happened: Sequence[Row], decided: Sequence[Row]
) -> IntervalQuality:
    """Returns an interval's revisions, the newest first, with what was doubted, happened and was decided."""
    start_at, end_at = revisions[0]["start_at"], revisions[0]["end_at"]

    def inside(rows: Sequence[Row]) -> list[Row]:
        return [row for row in rows if start_at <= row["slot_at"] <= end_at]

    return IntervalQuality(
        start_at=start_at,
        end_at=end_at,
        revisions=[show(MeterRevision, row, rules=flagged_rules(row["rules"])) for row in revisions],
        readings=[show(DoubtedReading, row) for row in inside(doubted)[:MAX_DOUBTED]],
        events=[show(MeterEvent, row) for row in inside(happened)],
        decisions=[
            show(MeterDecision, row) for row in decided if row["start_at"] <= start_at and end_at <= row["end_at"]
        ],
    )


def flagged_rules(rules: Sequence[str]) -> list[FlaggedRule]:
    """Returns the rules that flagged a value in words; of an id that an earlier version of the hub had, only the id."""
    return [_flagged(rule_id, accepted="accepted" in rules) for rule_id in rules]


def _flagged(rule_id: str, *, accepted: bool) -> FlaggedRule:
    rule = RULES_BY_ID.get(rule_id)
    if rule is None:
        return FlaggedRule(rule=rule_id, says="", doubt=False)
    remarks = rule.effect is Effect.NOTE or (accepted and isinstance(rule, Rule) and rule.acceptable)
    return FlaggedRule(rule=rule_id, says=rule.says, doubt=not remarks)


def _meter(row: Row) -> Meter:
    return show(Meter, row, last_reading=None if row["reading_id"] is None else reading(row))
