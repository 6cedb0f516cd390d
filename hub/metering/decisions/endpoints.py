"""Operators' endpoints of decisions about meters' energy."""

from typing import Annotated

from fastapi import APIRouter, Depends, Query

from hub.accounts.access import ACCESS_ERRORS, require
from hub.accounts.repository import log_activity
from hub.accounts.tokens import Principal
from hub.clock import at_ms, to_s
from hub.http import cursors
from hub.http.context import Ctx, Snapshot, Transaction
from hub.http.problems import MALFORMED, BadCursorError, NotFoundError, refusals
from hub.http.rows import show
from hub.http.types import Cursor, GatewayId, Limit, MeterId
from hub.metering.decisions import queries, service
from hub.metering.decisions.errors import (
    AboveRatedPowerError,
    NotAttestedError,
    NothingToAcceptError,
    NothingToWithdrawError,
    NotWholeIntervalsError,
    TooOldError,
)
from hub.metering.decisions.schemas import (
    Decided,
    DecidedPage,
    DecisionEntry,
    SpanEntry,
    TakenDecision,
    TakenDecisions,
)
from hub.metering.decisions.service import Decider, Taken
from hub.metering.readings import Decision, Energy
from hub.units import Wh

router = APIRouter(prefix="/operator", tags=["operator"], responses={**refusals(*ACCESS_ERRORS), **MALFORMED})
Operator = Annotated[Principal, Depends(require("operator"))]
Reader = Annotated[Principal, Depends(require("operator", "auditor"))]
SPAN_ERRORS = (NotFoundError, NotAttestedError, TooOldError, NotWholeIntervalsError, NothingToAcceptError)


@router.post(
    "/meters/{meter_id}/decisions",
    operation_id="decideEnergy",
    summary="Accept a meter's doubted readings, replace its energy, or withdraw what was decided",
    responses=refusals(*SPAN_ERRORS, AboveRatedPowerError, NothingToWithdrawError),
)
async def decide(
    ctx: Ctx, principal: Operator, connection: Transaction, meter_id: MeterId, entry: DecisionEntry
) -> TakenDecision:
    """Takes the decision with its reason; the intervals that it changes are computed again within minutes."""
    energy = None
    if entry.import_wh is not None and entry.export_wh is not None:
        energy = Energy(Wh(entry.import_wh), Wh(entry.export_wh))
    decision = Decision(entry.kind, to_s(entry.start_at), to_s(entry.end_at), energy)
    taken = await service.decide(connection, meter_id, decision, Decider(principal.user_id, entry.reason), ctx.clock)
    await log_activity(
        connection, principal.user_id, "energy_decided", at_ms(ctx.clock.now_ms()),
        {"meter_id": meter_id, "decision_id": taken.decision_id, "kind": entry.kind},
    )  # fmt: skip
    return _taken(taken)


@router.post(
    "/gateways/{gateway_id}/accept",
    operation_id="acceptGatewayReadings",
    summary="Accept the doubted readings of all meters of a gateway, as after a wrong clock of the hub",
    responses=refusals(*SPAN_ERRORS),
)
async def accept_gateway(
    ctx: Ctx,
    principal: Operator,
    connection: Transaction,
    gateway_id: GatewayId,
    entry: SpanEntry,
) -> TakenDecisions:
    """Takes one decision for each meter of which something is in doubt in [start_at, end_at)."""
    span, decider = (to_s(entry.start_at), to_s(entry.end_at)), Decider(principal.user_id, entry.reason)
    taken = await service.accept_gateway(connection, gateway_id, span, decider, ctx.clock)
    await log_activity(
        connection, principal.user_id, "energy_decided", at_ms(ctx.clock.now_ms()),
        {"gateway_id": gateway_id, "decision_ids": [one.decision_id for one in taken], "kind": "accept"},
    )  # fmt: skip
    return TakenDecisions(items=[_taken(one) for one in taken])


@router.get(
    "/decisions",
    operation_id="listDecisions",
    summary="What operators decided about meters' energy, newest first",
    responses=refusals(BadCursorError),
)
async def decisions(
    _: Reader,
    connection: Snapshot,
    meter_id: Annotated[MeterId | None, Query(description="Only about this meter")] = None,
    limit: Limit = 50,
    cursor: Cursor = None,
) -> DecidedPage:
    """Returns decisions with who took them and why; of those about an interval the newest stands."""
    before = None if cursor is None else cursors.decode("decisions", cursor, queries.DECISION_KEY)[0]
    rows = await queries.decisions(connection, meter_id, before, limit + 1)
    token = cursors.encode("decisions", rows[limit - 1]["decision_id"]) if len(rows) > limit else None
    items = [show(Decided, row, decided_by=row["decided_by_name"]) for row in rows[:limit]]
    return DecidedPage(items=items, next_cursor=token)


def _taken(taken: Taken) -> TakenDecision:
    return TakenDecision(
        meter_id=taken.meter_id, decision_id=taken.decision_id, intervals_marked=taken.intervals_marked
    )
