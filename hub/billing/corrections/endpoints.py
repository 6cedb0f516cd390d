"""The API's endpoint of a bill's corrections."""

from typing import Annotated

from fastapi import APIRouter, Depends

from hub.accounts.access import OwnParticipant
from hub.billing.corrections import lines, queries
from hub.billing.corrections.schemas import CorrectionPage
from hub.http import cursors
from hub.http.context import Snapshot
from hub.http.problems import BadCursorError, BadRangeError, refusals
from hub.http.types import Cursor, Limit, Range, time_range

router = APIRouter()
"""Part of billing's router, with its tag and refusals."""


@router.get(
    "/bill-corrections",
    operation_id="listBillCorrections",
    summary="What was corrected on a bill, and why",
    responses=refusals(BadRangeError, BadCursorError),
)
async def bill_corrections(
    participant_id: OwnParticipant,
    connection: Snapshot,
    span: Annotated[Range, Depends(time_range)],
    limit: Limit = 200,
    cursor: Cursor = None,
) -> CorrectionPage:
    """Returns a line for each correction that was made in [from, to), of whatever interval, in order of that time.

    It has energy and money before and after, and the readings, events or entries that had come. A correction that
    changed neither energy nor money of the participant has no line.
    """
    after = () if cursor is None else cursors.decode("bill-corrections", cursor, queries.CORRECTION_KEY)
    rows = await queries.corrections(connection, participant_id, span.start, span.end, after, limit + 1)
    shown = rows[:limit]
    meters = await queries.meters(connection, participant_id, shown)
    causes = await queries.causes(connection, participant_id, shown)
    next_cursor = None
    if len(rows) > limit:
        last = shown[-1]
        next_cursor = cursors.encode("bill-corrections", last["corrected_at"], last["start_at"], last["revision"])
    return CorrectionPage(items=[lines.correction(row, meters, causes) for row in shown], next_cursor=next_cursor)
