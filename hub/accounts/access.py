"""Access control: dependencies that check the access token and the role, and resolve the participant of a request."""

from collections.abc import Awaitable, Callable
from typing import Annotated
from uuid import UUID

from fastapi import Depends, Query, Request
from fastapi.security import HTTPBearer

from hub.accounts.errors import (
    ForbiddenError,
    NoParticipantError,
    NotSignedInError,
    TokenExpiredError,
    TokenInvalidError,
)
from hub.accounts.schemas import Role
from hub.accounts.tokens import AccessTokens, Principal
from hub.http.context import provided
from hub.http.problems import NotFoundError

HUMANS: tuple[Role, ...] = ("participant", "facilities", "operator", "rec_validator", "auditor")
ACCESS_ERRORS = (NotSignedInError, TokenInvalidError, TokenExpiredError, ForbiddenError)

_scheme = HTTPBearer(auto_error=False, bearerFormat="JWT", description="The access token of POST /auth/login")


def access_tokens(request: Request) -> AccessTokens:
    """Returns the application's ``AccessTokens``."""
    return provided(request, AccessTokens)


def require(*roles: Role) -> Callable[..., Awaitable[Principal]]:
    """Returns a dependency that admits only these roles.

    Raises (in the request):
        NotSignedInError, TokenInvalidError, TokenExpiredError: 401.
        ForbiddenError: signed in, with another role.
    """

    async def check(request: Request, _: Annotated[object, Depends(_scheme)]) -> Principal:
        scheme, _, token = request.headers.get("authorization", "").partition(" ")
        if scheme.lower() != "bearer" or not token.strip():
            raise NotSignedInError("Sign in first: this needs an access token", headers={"WWW-Authenticate": "Bearer"})
        principal = access_tokens(request).open(token.strip())
        if principal.role not in roles:
            raise ForbiddenError(f"This needs the role {' or '.join(roles)}; yours is {principal.role}")
        return principal

    return check


Human = Annotated[Principal, Depends(require(*HUMANS))]
"""A signed-in user of any role but device."""


async def participant(
    principal: Human,
    participant_id: Annotated[
        UUID | None, Query(description="Whose; default the reader's own. Only operators and auditors may name others")
    ] = None,
) -> UUID:
    """Returns the participant whose intervals, trades or bills the request is about.

    Raises:
        NotFoundError: another participant, who looks like one that does not exist.
        NoParticipantError: none is named, and the reader is not one.
    """
    if participant_id is not None and participant_id != principal.participant_id and not principal.reads_all:
        raise NotFoundError("There is no such participant, or not for you")
    result = participant_id or principal.participant_id
    if result is None:
        hint = "name one with participant_id" if principal.reads_all else "ask an operator to link yours"
        raise NoParticipantError(f"This account does not take part in the market itself: {hint}")
    return result


OwnParticipant = Annotated[UUID, Depends(participant)]
