"""The API's endpoints of trades with their settlement, and of clearings with their curves and journals."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Path, Response

from hub.accounts.access import ACCESS_ERRORS, Human, OwnParticipant
from hub.accounts.errors import NoParticipantError
from hub.clock import to_s
from hub.http import cursors
from hub.http.context import Ctx, Snapshot
from hub.http.problems import MALFORMED, BadCursorError, NotFoundError, refusals
from hub.http.types import Cursor, Hash, Limit, UtcTime
from hub.market import queries, service, trade_view
from hub.market.schemas import Clearing, TradeDetail, TradePage

router = APIRouter(tags=["market"], responses={**refusals(*ACCESS_ERRORS), **MALFORMED})
published = APIRouter(tags=["market"], responses=MALFORMED)
"""The endpoints that need no sign-in."""

IntervalStart = Annotated[UtcTime, Path(description="The interval's start")]
BINARY = "application/octet-stream"


@router.get(
    "/trades",
    operation_id="listTrades",
    summary="A participant's trades, newest first",
    responses=refusals(NotFoundError, NoParticipantError, BadCursorError),
)
async def trades(
    ctx: Ctx, participant_id: OwnParticipant, connection: Snapshot, limit: Limit = 50, cursor: Cursor = None
) -> TradePage:
    """Returns trades, each with its state: cleared, planned, sent, confirmed, final."""
    before = None if cursor is None else cursors.decode("trades", cursor, queries.TRADE_KEY)
    rows = await queries.trades(connection, participant_id, ctx.settings.interval_s, before, limit + 1)
    last = rows[limit - 1] if len(rows) > limit else None
    next_cursor = None if last is None else cursors.encode("trades", last["start_at"], last["trade_id"])
    return TradePage(items=[trade_view.trade(row) for row in rows[:limit]], next_cursor=next_cursor)


@router.get(
    "/trades/{trade_id}",
    operation_id="getTrade",
    summary="One trade: its steps, line, transactions and meters",
    responses=refusals(NotFoundError),
)
async def trade(ctx: Ctx, principal: Human, connection: Snapshot, trade_id: Hash) -> TradeDetail:
    """Returns the trade from the reader's side; operators and auditors see the seller's side."""
    row = await queries.trade(
        connection, bytes.fromhex(trade_id), principal.visible_participant_id, ctx.settings.interval_s
    )
    if row is None:
        raise NotFoundError(f"There is no trade {trade_id}, or not for you")
    line = await queries.line(connection, row["start_at"], row["viewer_id"])
    transactions = await queries.transactions(connection, row["start_at"], row["batch"])
    meters = await queries.meter_links(connection, row["viewer_id"], row["start_at"])
    return trade_view.detail(row, line, transactions, meters)


@router.get(
    "/clearings/latest",
    operation_id="getLatestClearing",
    summary="The newest clearing with its curves",
    responses=refusals(NotFoundError),
)
async def latest_clearing(principal: Human, connection: Snapshot) -> Clearing:
    """Returns orders summed by price; only the reader's own are shown separately."""
    return await _clearing(connection, None, principal.participant_id)


@router.get(
    "/clearings/{start_at}",
    operation_id="getClearing",
    summary="The clearing of one interval with its curves",
    responses=refusals(NotFoundError),
)
async def clearing(principal: Human, connection: Snapshot, start_at: IntervalStart) -> Clearing:
    """Returns orders summed by price; only the reader's own are shown separately."""
    return await _clearing(connection, start_at, principal.participant_id)


@published.get(
    "/clearings/{start_at}/journal",
    operation_id="getJournal",
    summary="The orders and trades of one interval, under pseudonyms",
    response_class=Response,
    responses={
        200: {"content": {BINARY: {"schema": {"type": "string", "format": "binary"}}}},
        **refusals(NotFoundError),
    },
)
async def journal(connection: Snapshot, start_at: IntervalStart) -> Response:
    """Returns the published journal; needs no sign-in. The settlement on the chain commits to the SHA-256 of these
    bytes, and anybody can clear the interval again with them, as `peerwatt-hub audit` does.
    """
    if await queries.clearing(connection, start_at) is None:
        raise NotFoundError("This interval has not been cleared (yet)")
    return Response(await service.published_journal(connection, to_s(start_at)), media_type=BINARY)


async def _clearing(connection: Snapshot, start_at: UtcTime | None, own_id: UUID | None) -> Clearing:
    row = await queries.clearing(connection, start_at)
    if row is None:
        raise NotFoundError("This interval has not been cleared (yet)" if start_at else "Nothing has been cleared yet")
    return trade_view.clearing(row, await queries.curve(connection, row["start_at"], own_id))
