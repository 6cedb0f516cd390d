"""Runs the scripts of hub/web/e2e in node, with a real Chromium, on a hub that is listening."""

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
TIME_LIMIT_S = 120


def build_script() -> Any:
    """Returns hub/web/build.py as a module."""
    spec = spec_from_file_location("build_web", WEB / "build.py")
    assert spec is not None
    assert spec.loader is not None
    script = module_from_spec(spec)
    spec.loader.exec_module(script)
    return script


@dataclass
class Script:
    """A running script, which prints facts as JSON lines and waits for a line on stdin where a test acts."""

    process: asyncio.subprocess.Process

    async def fact(self) -> dict[str, Any]:
        """Waits for the next fact; fails with the script's stderr when it has ended."""
        assert self.process.stdout is not None
        async with asyncio.timeout(TIME_LIMIT_S):
            line = await self.process.stdout.readline()
        if not line:
            assert self.process.stderr is not None
            pytest.fail(f"the script ended: {(await self.process.stderr.read()).decode()[-3000:]}")
        fact: dict[str, Any] = json.loads(line)
        return fact

    async def facts(self) -> list[dict[str, Any]]:
        """Waits for the end of the script, which must succeed; returns the facts that are left."""
        async with asyncio.timeout(TIME_LIMIT_S):
            out, error = await self.process.communicate()
        assert self.process.returncode == 0, error.decode()[-3000:]
        return [json.loads(line) for line in out.splitlines()]

    def go_on(self) -> None:
        """Lets a waiting script continue."""
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
        """The path of node: the machine's own, or the wheel's."""
        return shutil.which("node", path=self.environment["PATH"]) or "node"

    @asynccontextmanager
    async def script(self, name: str, **facts: Any) -> AsyncIterator[Script]:
        """Runs hub/web/e2e/NAME.mjs with these facts; kills it at the end of the block."""
        arguments = {
            "origin": self.origin,
            "chromium": self.chromium,
            "password": PASSWORD,
            "out": str(self.out),
            **facts,
        }
        process = await asyncio.create_subprocess_exec(
            self.node, f"e2e/{name}.mjs", json.dumps(arguments), cwd=WEB, env=self.environment,
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
        """The id (hex) of Anna's reading at the settled interval's end."""
        return self.campus.readings["METER_001", END_S].hex()

    @property
    def trade(self) -> str:
        """The id (hex) of the trade that Anna sold to Ben."""
        return self.campus.trades[BEN].hex()
