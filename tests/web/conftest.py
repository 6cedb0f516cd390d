"""The web app in a real Chromium, driven by the scripts of hub/web/e2e: the hub's API on a seeded campus."""

import asyncio
import json
import shutil
import socket
import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import uvicorn
from pydantic import SecretStr

from hub.accounts import service
from hub.app import create_app
from hub.clock import ManualClock
from hub.db import Pool
from hub.serve import Server
from hub.settings import Settings
from support.morning import seed_morning
from support.seed import BEN, END_S, INTERVAL_S, NOBODY, NOW_S, PASSWORD, Campus, seed_campus, seed_users

ROOT = Path(__file__).resolve().parents[2]
WEB = ROOT / "hub" / "web"
PATIENCE_S = 120


@pytest.fixture(scope="session")
def chromium() -> str:
    """The browser's program."""
    found = shutil.which("chromium")
    if found is None:
        pytest.skip("chromium is not installed (Debian: apt-get install chromium)")
    return found


@pytest.fixture(scope="session")
def web_app() -> dict[str, str]:
    """Builds the app unless `make` has; the environment in which node is found."""
    sys.path.insert(0, str(WEB))
    import build  # type: ignore[import-not-found]

    sys.path.remove(str(WEB))
    if not (ROOT / "hub" / "static" / "index.html").is_file():
        subprocess.run([sys.executable, str(WEB / "build.py"), "build"], check=True)
    environment: dict[str, str] = build.node_environment()
    build.install()
    return environment


@dataclass
class Script:
    """A running script: it tells facts as JSON lines, and waits where it says so."""

    process: asyncio.subprocess.Process

    async def fact(self) -> dict[str, Any]:
        """The next fact; what the script complained about when it ended instead."""
        assert self.process.stdout is not None
        async with asyncio.timeout(PATIENCE_S):
            line = await self.process.stdout.readline()
        if not line:
            assert self.process.stderr is not None
            pytest.fail(f"the script ended: {(await self.process.stderr.read()).decode()[-3000:]}")
        fact: dict[str, Any] = json.loads(line)
        return fact

    async def facts(self) -> list[dict[str, Any]]:
        """Every fact until the script ends well."""
        async with asyncio.timeout(PATIENCE_S):
            out, error = await self.process.communicate()
        assert self.process.returncode == 0, error.decode()[-3000:]
        return [json.loads(line) for line in out.splitlines()]

    def go_on(self) -> None:
        """Wakes a script that waits."""
        assert self.process.stdin is not None
        self.process.stdin.write(b"\n")


@dataclass
class Site:
    """The hub as browsers reach it."""

    origin: str
    pool: Pool
    campus: Campus
    out: Path
    chromium: str
    environment: dict[str, str]

    @property
    def node(self) -> str:
        """Node's program: the machine's own, or the wheel's."""
        return shutil.which("node", path=self.environment["PATH"]) or "node"

    @asynccontextmanager
    async def script(self, name: str, **given: Any) -> AsyncIterator[Script]:
        """Runs hub/web/e2e/NAME.mjs; ends it with the block."""
        facts = {"origin": self.origin, "chromium": self.chromium, "password": PASSWORD, "out": str(self.out), **given}
        process = await asyncio.create_subprocess_exec(
            self.node, f"e2e/{name}.mjs", json.dumps(facts), cwd=WEB, env=self.environment,
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
        )  # fmt: skip
        try:
            yield Script(process)
        finally:
            if process.returncode is None:
                process.kill()
            await process.wait()

    @property
    def reading(self) -> str:
        """Anna's reading at the settled interval's end."""
        return self.campus.readings["METER_001", END_S].hex()

    @property
    def trade(self) -> str:
        """What Anna sold to Ben."""
        return self.campus.trades[BEN].hex()


@pytest.fixture
async def site(
    pool: Pool, state_dir: Path, tmp_path: Path, chromium: str, web_app: dict[str, str]
) -> AsyncIterator[Site]:
    """The hub on the seeded campus, with a morning behind it."""
    async with pool.acquire() as connection:
        campus = await seed_campus(connection)
        await seed_users(connection)
        await service.create_user(
            connection, "nobody@campus.example", "Nobody", PASSWORD, "participant", participant_id=NOBODY
        )
        await seed_morning(connection, campus)
    listener = socket.create_server(("127.0.0.1", 0))
    origin = f"http://127.0.0.1:{listener.getsockname()[1]}"
    settings = Settings(
        state_dir=state_dir, database_url=SecretStr("postgresql://unused"), public_origin=origin, interval_s=INTERVAL_S
    )
    app = create_app(settings, pool, ManualClock(NOW_S * 1000))
    server = Server(uvicorn.Config(app, log_config=None, timeout_graceful_shutdown=5), app)
    running = asyncio.create_task(server.serve([listener]))
    async with asyncio.timeout(10):
        await server.ready.wait()
    yield Site(origin, pool, campus, tmp_path, chromium, web_app)
    server.should_exit = True
    async with asyncio.timeout(10):
        await running
