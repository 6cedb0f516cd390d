"""The API for tests: on a real PostgreSQL, with a clock that the test moves, called in process or served over HTTP."""

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import UUID

import httpx
import uvicorn
from fastapi import FastAPI
from pydantic import SecretStr

from hub.accounts.tokens import AccessTokens
from hub.api.app import create_app
from hub.api.serve import Server
from hub.clock import ManualClock
from hub.postgres.db import Pool
from hub.settings import Settings
from support.waiting import PATIENCE_S

ORIGIN = "http://127.0.0.1:8080"


@dataclass
class Api:
    """A running application with its parts."""

    app: FastAPI
    client: httpx.AsyncClient
    clock: ManualClock
    pool: Pool
    settings: Settings

    def bearer(self, role: str, participant_id: UUID | None = None, user_id: UUID | None = None) -> dict[str, str]:
        """Returns the header of a user who is signed in with this role."""
        token = AccessTokens.from_settings(self.settings, self.clock).issue(
            user_id or UUID(int=1), role, participant_id
        )
        return {"Authorization": f"Bearer {token}"}

    async def get(self, path: str, headers: dict[str, str] | None = None, **params: Any) -> httpx.Response:
        """Sends a GET below /api/v1; a parameter ``from_`` is sent as ``from``."""
        query = {name.rstrip("_"): value for name, value in params.items()}
        return await self.client.get(f"/api/v1{path}", headers=headers, params=query or None)


def make_settings(state_dir: Path, **values: Any) -> Settings:
    """Returns settings of a hub that listens nowhere."""
    values = {"public_origin": ORIGIN, **values}
    return Settings(state_dir=state_dir, database_url=SecretStr("postgresql://unused"), **values)


@asynccontextmanager
async def running_api(pool: Pool, state_dir: Path, now_ms: int, **values: Any) -> AsyncIterator[Api]:
    """Runs the application from start to shutdown; its client calls it in process."""
    clock = ManualClock(now_ms)
    settings = make_settings(state_dir, **values)
    app = create_app(settings, pool, clock)
    transport = httpx.ASGITransport(app, raise_app_exceptions=False)
    async with app.router.lifespan_context(app), httpx.AsyncClient(transport=transport, base_url=ORIGIN) as client:
        yield Api(app, client, clock, pool, settings)


@dataclass(frozen=True)
class HttpServer:
    """An application that answers over HTTP."""

    url: str
    server: Server


@asynccontextmanager
async def http_server(
    app: FastAPI, listener: socket.socket | None = None, *, graceful_s: int | None = None
) -> AsyncIterator[HttpServer]:
    """Serves a started application, by default on a free loopback port.

    At the end it waits ``graceful_s`` seconds, by default for ever, for open requests.
    """
    with listener or socket.create_server(("127.0.0.1", 0)) as listening:
        config = uvicorn.Config(app, log_config=None, lifespan="off", timeout_graceful_shutdown=graceful_s)
        server = Server(config, app)
        task = asyncio.create_task(server.serve([listening]))
        async with asyncio.timeout(PATIENCE_S):
            await server.ready.wait()
        yield HttpServer(f"http://127.0.0.1:{listening.getsockname()[1]}", server)
        server.should_exit = True
        async with asyncio.timeout(PATIENCE_S):
            await task


def problem(response: httpx.Response, status: int, code: str) -> str:
    """Checks that the response is this problem (RFC 9457); returns its detail."""
    assert response.status_code == status, response.text
    assert response.headers["content-type"] == "application/problem+json"
    body = response.json()
    assert (body["status"], body["code"], body["type"]) == (status, code, f"urn:peerwatt:problem:{code}")
    assert body["title"]
    return str(body["detail"])
