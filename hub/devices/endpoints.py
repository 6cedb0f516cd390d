"""The endpoint for enrolment, on the device listener only; the caller has no account, only a one-time token."""

from typing import Annotated

from fastapi import APIRouter, Depends, Request

from hub.devices.errors import (
    KeyRevokedError,
    MalformedRequestError,
    ProofInvalidError,
    TokenExpiredError,
    TokenUnknownError,
    TokenUsedError,
)
from hub.devices.schemas import Enrolment, EnrolmentRequest
from hub.devices.service import EnrolmentService
from hub.http.context import Ctx, Transaction, context, provided
from hub.http.problems import refusals

router = APIRouter(prefix="/enrolment", tags=["devices"])


def enrolment_service(request: Request) -> EnrolmentService:
    """Returns the application's enrolment service, which reads its keys at the first enrolment."""
    return provided(request, EnrolmentService, lambda: EnrolmentService.from_settings(context(request).settings))


Enrolments = Annotated[EnrolmentService, Depends(enrolment_service)]


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
    ctx: Ctx,
    body: EnrolmentRequest,
    connection: Transaction,
    enrolments: Enrolments,
) -> Enrolment:
    """Enrols keys: the first of a gateway is active at once, a later one waits for an operator. Safe to repeat."""
    return await enrolments.enrol(connection, ctx.clock, body)
