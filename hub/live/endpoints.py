"""The live stream: committed events as server-sent events, the reader's own and the public ones."""

from collections.abc import AsyncIterator
from typing import Annotated

from fastapi import APIRouter, Depends, Header, Request
from fastapi.responses import StreamingResponse
from starlette.types import Receive, Scope, Send

from hub.accounts.access import ACCESS_ERRORS, Human
from hub.http.context import Ctx, provided
from hub.http.problems import MALFORMED, ApiError, refusals
from hub.live import stream
from hub.live.event_feed import EventFeed, Subscriber

router = APIRouter(tags=["live"], responses={**refusals(*ACCESS_ERRORS), **MALFORMED})


def event_feed(request: Request) -> EventFeed:
    """Returns the application's feed of committed events."""
    return provided(request, EventFeed)


LiveFeed = Annotated[EventFeed, Depends(event_feed)]


class TooManyStreamsError(ApiError):
    """This process already serves the most streams that it can."""

    status, title, code = 503, "Too many streams", "streams_exhausted"


class TooManyOwnStreamsError(ApiError):
    """One user already has the most streams that one user may have."""

    status, title, code = 429, "Too many streams of yours", "own_streams_exhausted"


class LiveResponse(StreamingResponse):
    """Unsubscribes when the stream ends in any way, also when the reader left before the first byte."""

    media_type = "text/event-stream"

    def __init__(self, feed: EventFeed, subscriber: Subscriber, body: AsyncIterator[bytes]) -> None:
        super().__init__(body, headers={"Cache-Control": "no-store", "X-Accel-Buffering": "no"})
        self._feed = feed
        self._subscriber = subscriber

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            await super().__call__(scope, receive, send)
        finally:
            self._feed.unsubscribe(self._subscriber)


@router.get(
    "/live",
    operation_id="live",
    summary="Events as they are committed (text/event-stream)",
    response_class=StreamingResponse,
    responses={
        200: {"content": {"text/event-stream": {"schema": {"type": "string"}}}},
        **refusals(TooManyStreamsError, TooManyOwnStreamsError),
    },
)
async def live(
    ctx: Ctx,
    feed: LiveFeed,
    principal: Human,
    last_event_id: Annotated[
        int | None,
        Header(ge=0, lt=2**63, description="Sequence number of the last event seen; missed ones come first"),
    ] = None,
) -> StreamingResponse:
    """Events `reading`, `interval`, `clearing`, `settlement`, `reconciled`; `id` is the event's sequence number.

    A comment line every 15 s keeps the connection alive. The stream ends when the access token does, or when the reader
    is too slow: connect again with `Last-Event-ID`. `reset` means that too much was missed: load the page's data again.
    """
    retry_headers = {"Retry-After": "60"}
    if feed.has_max_streams(principal.user_id):
        raise TooManyOwnStreamsError("You have too many live pages open: close some of them", headers=retry_headers)
    participant_id = None if principal.reads_all else principal.participant_id
    subscriber = feed.subscribe(participant_id, principal.reads_all, principal.user_id)
    if subscriber is None:
        raise TooManyStreamsError("All live streams are taken: try again in a minute", headers=retry_headers)
    lifetime_s = principal.expires_at_s - ctx.clock.now_ms() / 1000
    body = stream.events(feed, subscriber, last_event_id, lifetime_s)
    return LiveResponse(feed, subscriber, body)
