"""Endpoints for sign-in: an access token for e-mail address and password, a rotating refresh token in a cookie."""

from typing import Annotated

from fastapi import APIRouter, Cookie, Depends, Header, Request, Response

from hub.accounts import repository, service
from hub.accounts.access import ACCESS_ERRORS, Human, access_tokens
from hub.accounts.errors import ForeignOriginError, LoginFailedError, LoginPausedError, SessionOverError
from hub.accounts.schemas import Login, Session, User
from hub.accounts.tokens import LIFETIME, AccessTokens
from hub.http.context import Context, Ctx, Snapshot, context
from hub.http.problems import MALFORMED, refusals

router = APIRouter(prefix="/auth", tags=["accounts"], responses=MALFORMED)
COOKIE = "peerwatt_refresh"
COOKIE_PATH = "/api/v1/auth"

Origin = Annotated[str | None, Header(include_in_schema=False)]
Tokens = Annotated[AccessTokens, Depends(access_tokens)]
RefreshCookie = Annotated[str | None, Cookie(alias=COOKIE, include_in_schema=False)]


async def own_origin(request: Request, origin: Origin = None) -> None:
    """Refuses requests that are not from the hub's own pages; browsers name the origin in every POST.

    Raises:
        ForeignOriginError: the origin is another one, or missing.
    """
    if origin != context(request).settings.public_origin:
        raise ForeignOriginError(
            f"This is only for pages of {context(request).settings.public_origin}; the request names "
            f"{(origin or 'no origin')[:100]}. Open the app at its public address"
        )


async def no_foreign_origin(request: Request, origin: Origin = None) -> None:
    """Refuses requests from other sites' pages, but not those of programs, which name no origin.

    Raises:
        ForeignOriginError: the origin is another one.
    """
    if origin is not None:
        await own_origin(request, origin)


@router.post(
    "/login",
    operation_id="login",
    summary="Sign in with e-mail address and password",
    dependencies=[Depends(no_foreign_origin)],
    responses=refusals(LoginFailedError, LoginPausedError, ForeignOriginError),
)
async def login(ctx: Ctx, tokens: Tokens, body: Login, response: Response) -> Session:
    """Gives an access token and sets the refresh cookie. After five wrong attempts in a row sign-in pauses."""
    session = await service.login(ctx, body.email, body.password)
    return _session(ctx, tokens, response, session)


@router.post(
    "/refresh",
    operation_id="refresh",
    summary="Renew the access token",
    dependencies=[Depends(own_origin)],
    responses=refusals(SessionOverError, ForeignOriginError),
)
async def refresh(ctx: Ctx, tokens: Tokens, response: Response, token: RefreshCookie = None) -> Session:
    """Gives a new access token and a new refresh cookie; using a refresh token twice ends its session."""
    return _session(ctx, tokens, response, await service.refresh(ctx, token))


@router.post(
    "/logout",
    operation_id="logout",
    summary="End the session",
    status_code=204,
    dependencies=[Depends(own_origin)],
    responses=refusals(ForeignOriginError),
)
async def logout(ctx: Ctx, token: RefreshCookie = None) -> Response:
    """Revokes the refresh tokens of this session; an access token ends by itself within fifteen minutes."""
    await service.logout(ctx, token)
    response = Response(status_code=204)
    response.delete_cookie(COOKIE, path=COOKIE_PATH, httponly=True, samesite="strict", secure=_secure(ctx))
    return response


@router.get("/me", operation_id="getMe", summary="Who is signed in", responses=refusals(*ACCESS_ERRORS))
async def me(principal: Human, connection: Snapshot) -> User:
    """Returns the signed-in user as stored now."""
    user = await repository.user_by_id(connection, principal.user_id)
    if user is None:
        raise SessionOverError("This account no longer exists: ask an operator")
    return service.to_user(user)


def _session(ctx: Context, tokens: AccessTokens, response: Response, session: service.OpenSession) -> Session:
    response.set_cookie(
        COOKIE, session.refresh_token, max_age=int(service.REFRESH_LIFETIME.total_seconds()), path=COOKIE_PATH,
        httponly=True, samesite="strict", secure=_secure(ctx),
    )  # fmt: skip
    user = session.user
    token = tokens.issue(user.user_id, user.role, user.participant_id)
    return Session(access_token=token, expires_in_s=int(LIFETIME.total_seconds()), user=user)


def _secure(ctx: Context) -> bool:
    return ctx.settings.public_origin.startswith("https://")
