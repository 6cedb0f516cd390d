"""Runs a whole demo as a user starts it, in a process of its own, and answers what tests ask about it."""

import asyncio
import json
import os
import re
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any, TypeVar

import asyncpg
import psutil

from hub.demo.report import make_closing_report
from hub.postgres.db import create_pool
from hub.settings import Settings, load_settings

HUB = str(Path(sys.executable).with_name("peerwatt-hub"))
T = TypeVar("T")


@dataclass
class DemoProcess:
    """`peerwatt-hub demo ...`; threads read its output, so that the demo never waits for the test."""

    state: Path
    arguments: tuple[str, ...] = ()
    environment: Mapping[str, str] = field(default_factory=dict)
    """Variables of its own; what this process has of Peerwatt's is left out."""
    stderr_lines: list[str] = field(default_factory=list)
    stdout: str = ""

    def start(self) -> "DemoProcess":
        self.begun = time.monotonic()
        environment = {k: v for k, v in os.environ.items() if not k.startswith("PEERWATT_")} | dict(self.environment)
        self.process = subprocess.Popen(
            [HUB, "demo", "--state", str(self.state), *self.arguments],
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, start_new_session=True, env=environment,
        )  # fmt: skip
        self._readers = [threading.Thread(target=read, daemon=True) for read in (self._read_err, self._read_out)]
        for reader in self._readers:
            reader.start()
        return self

    def _read_err(self) -> None:
        assert self.process.stderr is not None
        with self.process.stderr as lines:
            self.stderr_lines.extend(line.rstrip() for line in lines)

    def _read_out(self) -> None:
        assert self.process.stdout is not None
        with self.process.stdout as out:
            self.stdout = out.read()

    def wait(self, seconds: float) -> int:
        code = self.process.wait(seconds)
        for reader, pipe in zip(self._readers, (self.process.stderr, self.process.stdout), strict=True):
            reader.join()
            assert pipe is not None
            pipe.close()
        return code

    @property
    def stderr(self) -> str:
        return "\n".join(self.stderr_lines)

    @property
    def report(self) -> dict[str, Any]:
        """The JSON object of `--until-settled --json`."""
        return dict(json.loads(self.stdout))

    @property
    def url(self) -> str:
        match = re.search(r"Peerwatt runs at\s+(\S+)", self.stderr)
        assert match, self.stderr
        return match[1]

    @property
    def password(self) -> str:
        match = re.search(r"password\s+(\S+)", self.stderr)
        assert match, self.stderr
        return match[1]

    @property
    def config(self) -> Path:
        return self.state / "hub.toml"

    @property
    def settings(self) -> Settings:
        return load_settings(self.config)

    def descendants(self) -> list[psutil.Process]:
        """Returns every process of this demo, itself included."""
        root = psutil.Process(self.process.pid)
        return [root, *root.children(recursive=True)]

    def part(self, *words: str) -> psutil.Process:
        """Returns the one process whose command line contains all these words."""
        matching = [p for p in self.descendants() if all(word in " ".join(_command(p)) for word in words)]
        assert len(matching) == 1, (words, [_command(p) for p in matching])
        return matching[0]

    def stop(self) -> float:
        """Sends SIGINT (Ctrl-C) and waits for the end; returns the seconds that it took."""
        begun = time.monotonic()
        self.process.send_signal(signal.SIGINT)
        self.wait(60)
        return time.monotonic() - begun

    def end(self) -> None:
        """Ends the demo in whatever state it is."""
        if self.process.poll() is None:
            try:
                self.stop()
            except subprocess.TimeoutExpired:
                os.killpg(self.process.pid, signal.SIGKILL)
                self.wait(10)

    # -- what a test waits for

    def until(self, condition: Callable[[], T | None], seconds: float, what: str) -> T:
        """Waits until the condition returns something other than None; returns it."""
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            assert self.process.poll() is None, f"the demo ended while we waited for {what}:\n{self.stderr}"
            if (result := condition()) is not None:
                return result
            time.sleep(0.2)
        raise AssertionError(f"{what} did not happen within {seconds} s:\n{self.stderr}\n{self.logs()}")

    def until_running(self, seconds: float = 120) -> "DemoProcess":
        self.until(lambda: True if "Peerwatt runs at" in self.stderr else None, seconds, "the start")
        return self

    def until_reconciled(self, wanted: int, seconds: float) -> list[asyncpg.Record]:
        """Waits until this many intervals with trades are reconciled; returns them, oldest first."""

        def enough() -> list[asyncpg.Record] | None:
            rows = self.query(RECONCILED)
            return rows if len(rows) >= wanted else None

        return self.until(enough, seconds, f"{wanted} reconciled intervals")

    def query(self, sql: str, *args: Any) -> list[asyncpg.Record]:
        async def ask(connection: asyncpg.Connection) -> list[asyncpg.Record]:
            return list(await connection.fetch(sql, *args))

        return self.with_connection(ask)

    def with_connection(self, job: Callable[[asyncpg.Connection], Awaitable[T]]) -> T:
        async def connected() -> T:
            connection = await asyncpg.connect(self.settings.database_url.get_secret_value())
            try:
                await connection.set_type_codec("jsonb", encoder=json.dumps, decoder=json.loads, schema="pg_catalog")
                return await job(connection)
            finally:
                await connection.close()

        return asyncio.run(connected())

    def report_of(self, starts: Sequence[datetime]) -> dict[str, Any]:
        """Returns the closing report on these intervals, while the demo goes on."""

        async def report() -> dict[str, Any]:
            pool = await create_pool(self.settings.database_url.get_secret_value(), size=2)
            try:
                return await make_closing_report(pool, self.settings, starts)
            finally:
                await pool.close()

        return asyncio.run(report())

    def hub(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Runs `peerwatt-hub COMMAND --config <this demo's> ...`."""
        command = [HUB, arguments[0], "--config", str(self.config), *arguments[1:]]
        return subprocess.run(command, capture_output=True, text=True, check=False, timeout=120)

    def logs(self) -> str:
        """Returns the last 1,500 characters of each part's log, for a failed test."""
        files = sorted((self.state / "logs").glob("*.log"))
        return "\n".join(f"-- {file.name}\n{file.read_text(errors='replace')[-1500:]}" for file in files)


RECONCILED = """
SELECT start_at, end_at FROM intervals i
WHERE state = 'reconciled' AND EXISTS (SELECT FROM trades t WHERE t.start_at = i.start_at) ORDER BY start_at
"""


def _command(process: psutil.Process) -> list[str]:
    try:
        return process.cmdline()
    except psutil.Error:
        return []
