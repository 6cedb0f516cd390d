"""Enrolment, on the device listener only: who asks has no account, only a one-time token."""

from typing import Annotated

from fastapi import APIRouter, Depends, Request

from hub.devices import service
from hub.devices.errors import (
    KeyRevokedError,
    MalformedRequestError,
    ProofInvalidError,
    TokenExpiredError,
    TokenUnknownError,
    TokenUsedError,
)
from hub.devices.schemas import Enrolment, EnrolmentRequest
from hub.http.context import Ctx, Transaction, context
from hub.problems import refusals

router = APIRouter(prefix="/enrolment", tags=["devices"])


async def desk(request: Request) -> service.Desk:
    """What every enrolled gateway is given; read once."""
    state = request.app.state
    if not hasattr(state, "enrolment_desk"):
        state.enrolment_desk = service.Desk.from_settings(context(request).settings)
    found: service.Desk = state.enrolment_desk
    return found


@router.post(
    "",
    operation_id="enrol",
    summary="Enrol a gateway's keys with a one-time token",
    responses={
        **refusals(TokenUnknownError, TokenExpiredError, TokenUsedError, ProofInvalidError, KeyRevokedError),
        **refusals(MalformedRequestError),
    },
)
async def enrol(
    ctx: Ctx, body: EnrolmentRequest, connection: Transaction, desk: Annotated[service.Desk, Depends(desk)]
) -> Enrolment:
    """The first key of a gateway is active at once; a later one waits for an operator. Safe to repeat."""
    return await service.enrol(connection, desk, ctx.clock, body)
