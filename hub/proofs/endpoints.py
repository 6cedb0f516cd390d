"""The API's endpoint of a reading's proof."""

from typing import Annotated

from fastapi import APIRouter, Query

from hub.accounts.access import ACCESS_ERRORS, Human
from hub.http.context import Snapshot
from hub.http.problems import MALFORMED, NotFoundError, refusals
from hub.http.rows import show
from hub.http.types import Hash, UtcTime
from hub.metering.queries import reading as reading_row
from hub.metering.schemas import Reading
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
    principal: Human,
    connection: Snapshot,
    reading_id: Hash,
    interval: Annotated[
        UtcTime | None, Query(description="Start of the interval to prove, when it is not the one it ends")
    ] = None,
) -> ReadingProof:
    """Returns record, frame signature, attested interval, settlement line and chain accounts, with paths and bytes.

    A reading on a boundary is evidence of two intervals: of the one that it ends, and with `interval` of the one that
    it begins.
    """
    row = await reading_row(connection, bytes.fromhex(reading_id), principal.visible_participant_id)
    if row is None:
        raise NotFoundError(f"There is no reading {reading_id}, or not for you")
    return await service.build(connection, show(Reading, row), row, interval)
