"""The API's endpoint of a reading's proof."""

from typing import Annotated

from fastapi import APIRouter, Query

from hub.accounts.access import ACCESS_ERRORS
from hub.http.context import Snapshot
from hub.http.problems import MALFORMED, NotFoundError, refusals
from hub.http.types import UtcTime
from hub.metering.endpoints import VisibleReading, reading
from hub.proofs import service
from hub.proofs.schemas import ReadingProof

router = APIRouter(tags=["proofs"], responses={**refusals(*ACCESS_ERRORS), **MALFORMED})


@router.get(
    "/readings/{reading_id}/proof",
    operation_id="getReadingProof",
    summary="The proof of a reading: everything to check it without trusting the hub",
    responses=refusals(NotFoundError),
)
async def proof(
    row: VisibleReading,
    connection: Snapshot,
    interval: Annotated[
        UtcTime | None, Query(description="Start of the interval to prove, when it is not the one it ends")
    ] = None,
    revision: Annotated[
        int | None,
        Query(ge=1, lt=2**31, description="The interval's revision to prove; default the first from this reading"),
    ] = None,
) -> ReadingProof:
    """Returns record, frame signature, attested interval, settlement line and chain accounts, with paths and bytes.

    A reading on a boundary is evidence of two intervals: of the one that it ends, and with `interval` of the one that
    it begins. An interval that was corrected has several revisions: `revisions` lists all, and `revision` chooses the
    one to prove.
    """
    return await service.build(connection, reading(row), row, interval, revision)
