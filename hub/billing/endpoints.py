"""The API's endpoints of a participant's energy and money: intervals, the day, and the lines of the bill."""

from typing import Annotated

from fastapi import APIRouter, Depends

from hub.accounts.access import ACCESS_ERRORS, OwnParticipant
from hub.accounts.errors import NoParticipantError
from hub.billing import bill, queries, today
from hub.billing.corrections import endpoints as correction_endpoints
from hub.billing.corrections import lines
from hub.billing.corrections import queries as corrections
from hub.billing.schemas import BillLinePage, ParticipantIntervalPage, Today
from hub.http import cursors
from hub.http.context import Ctx, Snapshot
from hub.http.problems import MALFORMED, BadCursorError, BadRangeError, NotFoundError, refusals
from hub.http.types import Cursor, Limit, Range, time_range

router = APIRouter(
    tags=["billing"], responses={**refusals(*ACCESS_ERRORS, NotFoundError, NoParticipantError), **MALFORMED}
)
router.include_router(correction_endpoints.router)
Span = Annotated[Range, Depends(time_range)]


@router.get(
    "/intervals",
    operation_id="listIntervals",
    summary="A participant's intervals, oldest first",
    responses=refusals(BadRangeError, BadCursorError),
)
async def intervals(
    participant_id: OwnParticipant, connection: Snapshot, span: Span, limit: Limit = 500, cursor: Cursor = None
) -> ParticipantIntervalPage:
    """Returns the intervals that start in [from, to): energy of all meters, peers, utility, and what trading saved."""
    start = span.start if cursor is None else cursors.decode("intervals", cursor, queries.INTERVAL_KEY)[0]
    rows = await queries.intervals(connection, participant_id, start, span.end, limit + 1)
    next_cursor = cursors.encode("intervals", rows[limit]["start_at"]) if len(rows) > limit else None
    return ParticipantIntervalPage(items=[bill.interval(row) for row in rows[:limit]], next_cursor=next_cursor)


@router.get("/today", operation_id="getToday", summary="Everything that the Today page shows")
async def get_today(ctx: Ctx, participant_id: OwnParticipant, connection: Snapshot) -> Today:
    """Returns the power now, the site's day so far, the saving with its parts, the next clearing and recent events."""
    return await today.build(connection, participant_id, ctx.settings, ctx.clock.now_ms())


@router.get(
    "/bill-lines",
    operation_id="listBillLines",
    summary="The lines of a bill, each with its readings",
    responses=refusals(BadRangeError, BadCursorError),
)
async def bill_lines(
    participant_id: OwnParticipant, connection: Snapshot, span: Span, limit: Limit = 200, cursor: Cursor = None
) -> BillLinePage:
    """Returns a line for each interval that starts in [from, to), with the corrections that were made before `to`:
    metered, peers, utility, charges; and the sums of the range.

    A correction that was made later is on the bill of that time: there it is `carried`, and added to what the bill
    comes to. So bills that follow each other never count one twice, and leave none out. `/bill-corrections` tells the
    corrections one by one.
    """
    start = span.start if cursor is None else cursors.decode("bill-lines", cursor, queries.INTERVAL_KEY)[0]
    rows = await queries.intervals(connection, participant_id, start, span.end, limit + 1, span.end)
    next_cursor = cursors.encode("bill-lines", rows[limit]["start_at"]) if len(rows) > limit else None
    totals = await queries.totals(connection, participant_id, span.start, span.end)
    carried = await corrections.carried(connection, participant_id, span.start, span.end)
    links = await queries.meter_links(connection, participant_id, rows[:limit])
    return BillLinePage(
        items=[bill.line(row, links) for row in rows[:limit]],
        totals=bill.totals(totals),
        carried=lines.carried(carried),
        bill_micros=totals["total_micros"] + carried["change_micros"],
        next_cursor=next_cursor,
    )
