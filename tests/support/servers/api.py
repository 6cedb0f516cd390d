"""A running application for tests: real PostgreSQL, a clock that the test moves, and clients that are signed in."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import UUID

import httpx
from fastapi import FastAPI
from pydantic import SecretStr

from hub.accounts.tokens import AccessTokens
from hub.api.app import create_app
from hub.clock import ManualClock
from hub.postgres.db import Pool
from hub.settings import Settings

ORIGIN = "http://127.0.0.1:8080"


@dataclass
class Api:
    """The application with its parts within reach."""

    app: FastAPI
    client: httpx.AsyncClient
    clock: ManualClock
    pool: Pool
    settings: Settings

    def bearer(self, role: str, participant_id: UUID | None = None, user_id: UUID | None = None) -> dict[str, str]:
        """The header of somebody who is signed in with this role."""
        token = AccessTokens.from_settings(self.settings, self.clock).issue(
            user_id or UUID(int=1), role, participant_id
        )
        return {"Authorization": f"Bearer {token}"}

    async def get(self, path: str, headers: dict[str, str] | None = None, **params: Any) -> httpx.Response:
        """GET below /api/v1; a parameter ``from_`` is sent as ``from``."""
        query = {name.rstrip("_"): value for name, value in params.items()}
        return await self.client.get(f"/api/v1{path}", headers=headers, params=query or None)


def make_settings(state_dir: Path, **values: Any) -> Settings:
    """Settings of a hub that listens nowhere."""
    return Settings(state_dir=state_dir, database_url=SecretStr("postgresql://unused"), public_origin=ORIGIN, **values)


@asynccontextmanager
async def running_api(pool: Pool, state_dir: Path, now_ms: int, **values: Any) -> AsyncIterator[Api]:
    """The application from start to shutdown, called in process."""
    clock = ManualClock(now_ms)
    settings = make_settings(state_dir, **values)
    app = create_app(settings, pool, clock)
    transport = httpx.ASGITransport(app, raise_app_exceptions=False)
    async with app.router.lifespan_context(app), httpx.AsyncClient(transport=transport, base_url=ORIGIN) as client:
        yield Api(app, client, clock, pool, settings)


def problem(response: httpx.Response, status: int, code: str) -> str:
    """Checks that the answer is this problem; returns what it says to the person."""
    assert response.status_code == status, response.text
    assert response.headers["content-type"] == "application/problem+json"
    body = response.json()
    assert (body["status"], body["code"], body["type"]) == (status, code, f"urn:peerwatt:problem:{code}")
    assert body["title"]
    return str(body["detail"])
