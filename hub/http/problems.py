"""Errors as RFC 9457 problem details: each has a stable ``code`` and a sentence that says what to do."""

from http import HTTPStatus
from typing import Any, ClassVar

import asyncpg
import structlog
from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from pydantic import BaseModel, Field
from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from hub.errors import HubError, RetryableError

log = structlog.get_logger()
MEDIA_TYPE = "application/problem+json"


class FieldFault(BaseModel):
    """One thing that is wrong with one part of the request."""

    field: str = Field(description="Where: query.from, body.email, path.reading_id ...", examples=["query.from"])
    code: str = Field(examples=["time_zone_missing"])
    message: str


class Problem(BaseModel):
    """Why a request was refused (RFC 9457, media type application/problem+json)."""

    type: str = Field(
        description="A stable name of the kind of problem", examples=["urn:peerwatt:problem:login_failed"]
    )
    title: str = Field(examples=["Sign-in failed"])
    status: int = Field(examples=[401])
    detail: str = Field(description="For the person who reads it: what is wrong and what to do")
    code: str = Field(description="Stable; programs compare this", examples=["login_failed"])
    errors: list[FieldFault] | None = Field(default=None, description="Each fault of a malformed request")


class ApiError(HubError):
    """A refusal with its own HTTP status; subclasses set ``status``, ``title`` and ``code``."""

    status: ClassVar[int] = 400
    title: ClassVar[str] = "Refused"

    def __init__(self, detail: str, *, headers: dict[str, str] | None = None) -> None:
        super().__init__(detail)
        self.headers = headers


class NotFoundError(ApiError):
    """The thing does not exist, or the reader may not see it; the answer is the same on purpose."""

    status, title, code = 404, "Not found", "not_found"


class BadRangeError(ApiError):
    """A half-open range whose end is not after its start, or that is too long."""

    status, title, code = 422, "Range refused", "range_invalid"


class BadCursorError(ApiError):
    """A cursor that this list did not give out."""

    status, title, code = 422, "Cursor refused", "cursor_invalid"


class DatabaseUnavailableError(ApiError):
    """The database does not answer, or has no connection left."""

    status, title, code = 503, "Not possible right now", "database_unavailable"

    @classmethod
    def now(cls) -> "DatabaseUnavailableError":
        """Returns the error with its usual message."""
        return cls("The database does not answer right now: try again in a few seconds", headers={"Retry-After": "2"})


class TooLargeError(ApiError):
    """A request body over the limit."""

    status, title, code = 413, "Request too large", "request_too_large"


def problem(
    status: int, title: str, detail: str, code: str, *, errors: list[FieldFault] | None = None,
    headers: dict[str, str] | None = None,
) -> JSONResponse:  # fmt: skip
    """Returns a problem as an HTTP response."""
    body = Problem(
        type=f"urn:peerwatt:problem:{code}", title=title, status=status, detail=detail, code=code, errors=errors
    )
    content = body.model_dump(mode="json", exclude_none=True)
    return JSONResponse(content, status_code=status, media_type=MEDIA_TYPE, headers=headers)


MALFORMED: dict[int | str, dict[str, Any]] = {
    422: {"model": Problem, "description": "The request is malformed (`invalid_request`); `errors` names each fault"}
}


def refusals(*errors: type[ApiError]) -> dict[int | str, dict[str, Any]]:
    """Returns the OpenAPI responses of these errors, for a route's ``responses``."""
    codes: dict[int, list[str]] = {}
    if any(error.status == 422 for error in errors):
        codes[422] = [MALFORMED[422]["description"]]
    for error in errors:
        codes.setdefault(error.status, []).append(f"{error.title} (`{error.code}`)")
    return {status: {"model": Problem, "description": "; ".join(titles)} for status, titles in codes.items()}


def install(app: FastAPI) -> None:
    """Installs handlers that answer every error of this application with a problem."""
    app.add_exception_handler(ApiError, _refused)
    app.add_exception_handler(HubError, _hub_error)
    app.add_exception_handler(RequestValidationError, _malformed)
    app.add_exception_handler(HTTPException, _http)
    for kind in (asyncpg.PostgresConnectionError, asyncpg.InterfaceError, TimeoutError):
        app.add_exception_handler(kind, _connection_lost)
    app.add_middleware(UnexpectedErrors)


async def _refused(_: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, ApiError)  # noqa: S101 - registered for this class only
    return problem(error.status, error.title, str(error), error.code, headers=error.headers)


async def _hub_error(_: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, HubError)  # noqa: S101 - registered for this class only
    if isinstance(error, RetryableError):
        return problem(503, "Not possible right now", str(error), error.code, headers={"Retry-After": "2"})
    return problem(422, "Refused", str(error), error.code)


async def _malformed(_: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, RequestValidationError)  # noqa: S101 - registered for this class only
    faults = [
        FieldFault(field=".".join(map(str, fault["loc"])), code=fault["type"], message=fault["msg"])
        for fault in error.errors()[:20]
    ]
    detail = "; ".join(f"{fault.field}: {fault.message}" for fault in faults)
    return problem(422, "Malformed request", detail, "invalid_request", errors=faults)


async def _http(request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, HTTPException)  # noqa: S101 - registered for this class only
    if error.status_code == 404:
        return unknown_path(request.url.path)
    if error.status_code == 405:
        detail = f"{request.method} is not possible at {request.url.path}"
        return problem(405, "Method not allowed", detail, "method_not_allowed", headers=dict(error.headers or {}))
    status = HTTPStatus(error.status_code)
    code = status.phrase.lower().replace(" ", "_").replace("-", "_")
    return problem(status, status.phrase, str(error.detail), code, headers=dict(error.headers or {}))


def unknown_path(path: str) -> JSONResponse:
    """Returns the answer for a path of the API that does not exist."""
    return problem(404, "Not found", f"There is nothing at {path[:200]}; the API is described in /api/v1/openapi.json",
                   "not_found")  # fmt: skip


async def _connection_lost(request: Request, error: Exception) -> JSONResponse:
    log.warning("the database was lost in the middle of a request", error=repr(error))
    return await _refused(request, DatabaseUnavailableError.now())


class UnexpectedErrors:
    """The innermost ASGI middleware: logs an error without a handler and answers it with a problem."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        started = False

        async def watch(message: Message) -> None:
            nonlocal started
            started = started or message["type"] == "http.response.start"
            await send(message)

        try:
            await self.app(scope, receive, watch)
        except Exception:
            if started or scope["type"] != "http":
                raise
            log.exception("unexpected error", path=scope["path"])
            detail = "Something went wrong on our side and was logged: try again, and tell the operator if it stays"
            await problem(500, "Internal error", detail, "internal")(scope, receive, send)
