"""Endpoints for the site and its totals; probes for health and metrics, which are not part of the API."""

from typing import Annotated

from fastapi import APIRouter, Depends, Request, Response
from fastapi.responses import JSONResponse, PlainTextResponse
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest

from hub.accounts.access import ACCESS_ERRORS, Human
from hub.clock import at_ms, at_s
from hub.http.context import Ctx, Snapshot, provided
from hub.http.problems import NotFoundError, refusals
from hub.live.endpoints import LiveFeed
from hub.system import health, queries
from hub.system.schemas import IntervalSpan, Readiness, Site, Tariffs, Totals
from hub.system.totals import TotalsCounter

router = APIRouter(prefix="/system", tags=["system"])
probes = APIRouter(include_in_schema=False)


@router.get("/site", operation_id="getSite", summary="The campus and its rules")
async def site(ctx: Ctx, connection: Snapshot) -> Site:
    """Needs no sign-in: the sign-in page shows it."""
    settings, now_ms = ctx.settings, ctx.clock.now_ms()
    now_s = now_ms // 1000
    start_s = now_s - now_s % settings.interval_s
    rates = await queries.rates_at(connection, at_ms(now_ms))
    return Site(
        name=settings.site_name,
        timezone=settings.site_timezone,
        interval_s=settings.interval_s,
        poll_period_s=settings.poll_period_s,
        now=at_ms(now_ms),
        running_interval=IntervalSpan(start_at=at_s(start_s), end_at=at_s(start_s + settings.interval_s)),
        tariffs=None if rates is None else Tariffs(**dict(rates)),
        currency=settings.currency,
        sun_offset_s=settings.sun_offset_s,
        demo=settings.demo,
    )


def totals_counter(request: Request) -> TotalsCounter:
    """Returns the application's counter, which all requests share."""
    return provided(request, TotalsCounter, TotalsCounter)


@router.get(
    "/totals", operation_id="getTotals", summary="The whole system in numbers", responses=refusals(*ACCESS_ERRORS)
)
async def totals(_: Human, ctx: Ctx, counter: Annotated[TotalsCounter, Depends(totals_counter)]) -> Totals:
    """Returns totals of all attested intervals in their latest revision; a few seconds old on a large site."""
    return Totals(**dict(await counter.totals(ctx.pool)))


@probes.get("/healthz")
async def healthz() -> PlainTextResponse:
    """Answers while the process runs."""
    return PlainTextResponse("ok\n")


@probes.get("/readyz")
async def readyz(ctx: Ctx, feed: LiveFeed) -> JSONResponse:
    """Says whether the process can do its work, and which dependency fails if it can not."""
    dependencies = await health.check(ctx.pool, feed)
    ready = all(dependency.ok for dependency in dependencies)
    body = Readiness(ready=ready, dependencies=dependencies)
    return JSONResponse(body.model_dump(mode="json"), status_code=200 if ready else 503)


@probes.get("/metrics")
async def metrics(request: Request) -> Response:
    """Returns Prometheus metrics, to this machine only, and not through a proxy."""
    is_local = request.client is not None and request.client.host in {"127.0.0.1", "::1"}
    if not is_local or "x-forwarded-for" in request.headers or "forwarded" in request.headers:
        raise NotFoundError("Metrics are served on loopback only")
    return Response(generate_latest(), media_type=CONTENT_TYPE_LATEST)
