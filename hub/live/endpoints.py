"""The live stream: journal events as server-sent events, each reader's own and the public ones."""

from typing import Annotated

from fastapi import APIRouter, Header
from fastapi.responses import StreamingResponse

from hub.accounts.access import ACCESS_ERRORS, Human
from hub.http.context import Ctx
from hub.live import stream
from hub.problems import MALFORMED, ApiError, refusals

router = APIRouter(tags=["live"], responses={**refusals(*ACCESS_ERRORS), **MALFORMED})


class TooManyStreamsError(ApiError):
    """This process serves as many streams as it can."""

    status, title, code = 503, "Too many streams", "streams_exhausted"


@router.get(
    "/live",
    operation_id="live",
    summary="Events as they are committed (text/event-stream)",
    response_class=StreamingResponse,
    responses={
        200: {"content": {"text/event-stream": {"schema": {"type": "string"}}}},
        **refusals(TooManyStreamsError),
    },
)
async def live(
    ctx: Ctx,
    principal: Human,
    last_event_id: Annotated[
        int | None,
        Header(ge=0, lt=2**63, description="Journal sequence of the last event seen; missed ones come first"),
    ] = None,
) -> StreamingResponse:
    """Events `reading`, `interval`, `clearing`, `settlement`, `reconciled`; `id` is the journal's sequence.

    A comment line every 15 s keeps the connection alive. The stream ends when the access token does, or when the reader
    is too slow: connect again with `Last-Event-ID`. `reset` means that too much was missed: load the page's data again.
    """
    subscriber = ctx.feed.subscribe(None if principal.reads_all else principal.participant_id, principal.reads_all)
    if subscriber is None:
        raise TooManyStreamsError("All live streams are taken: try again in a minute", headers={"Retry-After": "60"})
    lifetime_s = principal.expires_at_s - ctx.clock.now_ms() / 1000
    body = stream.events(ctx.feed, subscriber, last_event_id, lifetime_s)
    return StreamingResponse(
        body, media_type="text/event-stream", headers={"Cache-Control": "no-store", "X-Accel-Buffering": "no"}
    )
