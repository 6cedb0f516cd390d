"""Builds the two HTTP applications: the API with the web app, and the listener for the enrolment of gateways."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from importlib.metadata import version

from fastapi import APIRouter, FastAPI

from hub.accounts import endpoints as accounts
from hub.accounts.tokens import AccessTokens
from hub.api.openapi import document
from hub.billing import endpoints as billing
from hub.chain.client import ChainClient
from hub.clock import Clock
from hub.explorer import endpoints as explorer_endpoints
from hub.explorer.service import Explorer
from hub.http import problems
from hub.http.context import Context, provide
from hub.http.headers import Etags, SecurityHeaders
from hub.http.limits import BodyLimit
from hub.http.metrics import RequestMetrics
from hub.http.spa import WebApp
from hub.live import endpoints as live
from hub.live.event_feed import EventFeed
from hub.market import endpoints as market
from hub.metering import endpoints as metering
from hub.metering.decisions import endpoints as decisions
from hub.operator import endpoints as operator
from hub.postgres.db import Pool
from hub.proofs import endpoints as proofs
from hub.settings import Settings
from hub.system import endpoints as system

PREFIX = "/api/v1"
CHAIN_TIMEOUT_S = 5
BODY_LIMIT_BYTES = 64 * 1024
DESCRIPTION = (
    "A campus trades its own solar power. Energy is integer Wh, money integer micros (millionths of the currency), "
    "prices thousandths of the currency per kWh. Times are RFC 3339 in UTC, ranges half-open. Errors are problem "
    "details with a stable `code`."
)


def create_app(settings: Settings, pool: Pool, clock: Clock) -> FastAPI:
    """Builds the API and the web app; the caller closes the pool."""
    feed = EventFeed(pool)
    explorer = Explorer(ChainClient(*settings.rpc_urls, timeout_s=CHAIN_TIMEOUT_S), clock)

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        await feed.start()
        try:
            yield
        finally:
            await feed.stop()
            await explorer.chain.close()

    app = describe()
    app.router.lifespan_context = lifespan
    provide(app, Context(settings, pool, clock), AccessTokens.from_settings(settings, clock), feed, explorer)
    app.include_router(system.probes)
    app.router.default = WebApp()
    _add_middleware(app, settings)
    return app


def create_device_app(settings: Settings, pool: Pool, clock: Clock) -> FastAPI:
    """Builds the application for gateways, which serves enrolment and the probes only."""
    from hub.devices import endpoints as devices  # noqa: PLC0415 - only this application needs it

    app = FastAPI(
        title="Peerwatt devices", version=version("peerwatt"), openapi_url=None, docs_url=None, redoc_url=None
    )
    provide(app, Context(settings, pool, clock), EventFeed(pool))
    app.include_router(devices.router, prefix=PREFIX)
    app.include_router(system.probes)
    problems.install(app)
    _add_middleware(app, settings)
    return app


def describe() -> FastAPI:
    """Returns an application with every route of the API and no parts; the OpenAPI description is made from it."""
    app = FastAPI(
        title="Peerwatt",
        version=version("peerwatt"),
        description=DESCRIPTION,
        openapi_url=f"{PREFIX}/openapi.json",
        docs_url=None,
        redoc_url=None,
    )
    api = APIRouter(prefix=PREFIX)
    for endpoints in (
        accounts, system, metering, decisions, market, billing, proofs, live, operator, explorer_endpoints,
    ):  # fmt: skip
        api.include_router(endpoints.router)
    api.include_router(market.published)
    app.include_router(api)
    problems.install(app)
    vars(app)["openapi"] = lambda: document(app)  # FastAPI's documented way to change the description
    return app


def _add_middleware(app: FastAPI, settings: Settings) -> None:
    """Adds the middleware; the last is the outermost, so that every answer has the security headers."""
    app.add_middleware(Etags)
    app.add_middleware(BodyLimit, limit_bytes=BODY_LIMIT_BYTES)
    app.add_middleware(RequestMetrics)
    app.add_middleware(SecurityHeaders, tls=settings.public_origin.startswith("https://"))
