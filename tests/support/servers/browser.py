"""Scripts of hub/web/e2e as tests run them: in node, with a real Chromium, on a hub that is already listening."""

import asyncio
import json
import shutil
import subprocess
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from typing import Any

import pytest

from hub.postgres.db import Pool
from support.rows.seed import BEN, END_S, PASSWORD, Campus

ROOT = Path(__file__).resolve().parents[3]
WEB = ROOT / "hub" / "web"
PATIENCE_S = 120


def build_script() -> Any:
    """hub/web/build.py as a module."""
    spec = spec_from_file_location("build_web", WEB / "build.py")
    assert spec is not None
    assert spec.loader is not None
    script = module_from_spec(spec)
    spec.loader.exec_module(script)
    return script


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
