"""The web app in a real Chromium, driven by the scripts of hub/web/e2e: the hub's API on a seeded campus."""

import shutil
import socket
import subprocess
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from hub.accounts import service
from hub.postgres.db import Pool
from support.rows.revisions import add_revision
from support.rows.seed import END_S, INTERVAL_S, NOBODY, NOW_S, PASSWORD, seed_campus, seed_users
from support.rows.seed_day import seed_morning
from support.servers.api import http_server, running_api
from support.servers.browser import ROOT, WEB, Site, build_script
from support.servers.nodes import NO_CHAIN


@pytest.fixture(scope="session")
def chromium() -> str:
    """The path of Chromium; skips without it."""
    path = shutil.which("chromium")
    if path is None:
        pytest.skip("chromium is not installed (Debian: apt-get install chromium)")
    return path


@pytest.fixture(scope="session")
def web_app() -> dict[str, str]:
    """Builds the web app unless that is done; returns the environment in which node is found."""
    build = build_script()
    if not (ROOT / "hub" / "static" / "index.html").is_file():
        subprocess.run([sys.executable, str(WEB / "build.py"), "build"], check=True)
    environment: dict[str, str] = build.toolchain()[0]
    build.install()
    return environment


@pytest.fixture
def rpc_url() -> str:
    """The RPC URL of the hub, at which no node answers; a test that needs a chain overrides it."""
    return NO_CHAIN


@pytest.fixture
async def site(
    pool: Pool, state_dir: Path, tmp_path: Path, chromium: str, web_app: dict[str, str], rpc_url: str
) -> AsyncIterator[Site]:
    """The hub on the seeded campus, after a morning of readings, one of which came late."""
    async with pool.acquire() as connection:
        campus = await seed_campus(connection)
        await seed_users(connection)
        await service.create_user(
            connection, "nobody@campus.example", "Nobody", PASSWORD, "participant", participant_id=NOBODY
        )
        await seed_morning(connection, campus)
        await add_revision(connection, 2, "METER_001", 128, made_s=END_S + 600, final_s=END_S + 605)
    listener = socket.create_server(("127.0.0.1", 0))
    origin = f"http://127.0.0.1:{listener.getsockname()[1]}"
    async with (
        running_api(pool, state_dir, NOW_S * 1000, public_origin=origin, interval_s=INTERVAL_S, rpc_url=rpc_url) as api,
        http_server(api.app, listener, graceful_s=5),
    ):
        yield Site(origin, pool, campus, tmp_path, chromium, web_app)
