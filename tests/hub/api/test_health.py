"""Health and metrics: which dependency fails is named, and metrics stay on this machine."""

from pathlib import Path

import asyncpg
import httpx
import pytest

from hub.postgres import db
from hub.postgres.db import Pool
from support.servers.api import Api, problem, running_api

NOW_MS = 1_780_308_000_000


async def test_a_healthy_process_is_ready(pool: Pool, state_dir: Path) -> None:
    async with running_api(pool, state_dir, NOW_MS) as api:
        assert (await api.client.get("/healthz")).text == "ok\n"
        ready = await api.client.get("/readyz")

    assert ready.status_code == 200
    assert [dependency["name"] for dependency in ready.json()["dependencies"]] == ["database", "live_feed"]


async def test_a_lost_database_is_named_and_requests_say_try_again(
    db_url: str, pg_server: str, state_dir: Path
) -> None:
    pool = await db.create_pool(db_url)
    async with running_api(pool, state_dir, NOW_MS) as api:
        await _drop(pg_server, db_url)
        ready = await api.client.get("/readyz")
        refused = await api.get("/meters", api.bearer("operator"))

        assert ready.status_code == 503
        states = {dependency["name"]: dependency for dependency in ready.json()["dependencies"]}
        assert states["database"]["ok"] is False
        assert states["database"]["detail"]
        assert "try again" in problem(refused, 503, "database_unavailable")
        assert refused.headers["retry-after"] == "2"
        assert (await api.client.get("/healthz")).status_code == 200
    await pool.close()


async def _drop(pg_server: str, db_url: str) -> None:
    """Makes the database unreachable under the running application."""
    name = db_url.rsplit("/", 1)[1].split("?", maxsplit=1)[0]
    connection = await asyncpg.connect(pg_server)
    await connection.execute(f'ALTER DATABASE "{name}" WITH ALLOW_CONNECTIONS false')
    await connection.execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = $1", name)
    await connection.close()


async def test_metrics_are_for_this_machine_only(pool: Pool, state_dir: Path) -> None:
    async with running_api(pool, state_dir, NOW_MS) as api:
        await api.get("/system/site")
        local = await api.client.get("/metrics")
        proxied = await api.client.get("/metrics", headers={"X-Forwarded-For": "192.0.2.7"})
        remote = await _from("192.0.2.7", api)

    assert 'peerwatt_http_requests_total{method="GET",route="/system/site",status="200"}' in local.text
    for response in (proxied, remote):
        assert response.status_code == 404
        assert "peerwatt" not in response.text.replace("urn:peerwatt", "")


async def _from(address: str, api: Api) -> httpx.Response:
    transport = httpx.ASGITransport(api.app, client=(address, 5000))
    async with httpx.AsyncClient(transport=transport, base_url="http://hub") as client:
        return await client.get("/metrics")


@pytest.mark.parametrize("path", ["/healthz", "/readyz", "/metrics"])
async def test_probes_are_not_part_of_the_description(pool: Pool, state_dir: Path, path: str) -> None:
    async with running_api(pool, state_dir, NOW_MS) as api:
        assert path not in (await api.get("/openapi.json")).json()["paths"]
