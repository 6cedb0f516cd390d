"""A settling process that is killed with -9 at a moment that the test names: what it wrote, committed or sent last.

Moments have names such as ``settle submitted written`` (the row is changed, but not committed) and ``settle submitted
committed``; ``sending`` is after storing and before sending, ``interval closed ...`` is the last one. A process with an
empty name is not killed; it can write the name of every moment to a file.
"""

import asyncio
import os
import signal
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import asyncpg
import httpx

from hub.chain.bootstrap import Bootstrap
from hub.chain.client import ChainClient
from hub.chain.errors import ChainUnreachableError
from hub.clock import SystemClock
from hub.postgres import db
from hub.settlement.keys import SettlementKeys
from hub.settlement.submitter import Submitter
from support.commands import processes
from support.rows.site_rows import end_leases, lead


@dataclass(frozen=True)
class SettlingSite:
    """The database, node and keys of the process."""

    database_url: str
    rpc_url: str
    keys_dir: Path


@dataclass
class Watch:
    """Calls ``reach`` with the name of each moment, which it sees by the queries and requests."""

    reach: Callable[[str], None]
    _written: list[str] = field(default_factory=list)

    def query(self, text: str, args: tuple[Any, ...]) -> None:
        """Is called after a query was answered."""
        if "UPDATE settlement_steps SET state" in text:
            _, kind, _, state, *_ = args
            self._write(f"{kind} {state}")
        elif "UPDATE intervals SET state" in text and "closed" in args:
            self._write("interval closed")
        elif text.startswith("COMMIT") and self._written:
            name = self._written[-1]
            self._written.clear()
            self.reach(f"{name} committed")

    def _write(self, name: str) -> None:
        self._written.append(name)
        self.reach(f"{name} written")

    async def request(self, request: httpx.Request) -> None:
        if b"sendTransaction" in request.content:
            self.reach("sending")

    async def response(self, response: httpx.Response) -> None:
        if b"sendTransaction" in response.request.content:
            self.reach("sent")


def run_until_killed(site: SettlingSite, moment: str, moments_file: Path | None = None) -> int | None:
    """Settles in a process of its own until that moment, or to the end; returns its exit code, None after a time-out.

    ``moments_file`` gets the name of every moment, a line each.
    """
    process = processes.Process(target=_main, args=(site, moment, moments_file))
    process.start()
    process.join(120)
    if process.is_alive():
        process.kill()
        process.join()
        return None
    return process.exitcode


def _main(site: SettlingSite, moment: str, moments_file: Path | None) -> None:
    def reach(name: str) -> None:
        if moments_file is not None:
            with moments_file.open("a") as file:
                file.write(f"{name}\n")
        if name == moment:
            os.kill(os.getpid(), signal.SIGKILL)

    watch = Watch(reach)
    _listen(watch)
    asyncio.run(_settle(site, watch))


async def _settle(site: SettlingSite, watch: Watch) -> None:
    keys = Bootstrap.load_or_create(site.keys_dir)
    settlement_keys = SettlementKeys(keys.fee_payer, keys.attestors, keys.settler)
    async with await db.create_pool(site.database_url, size=2) as pool, ChainClient(site.rpc_url) as chain:
        for node in chain.nodes:
            node.session.event_hooks = {"request": [watch.request], "response": [watch.response]}
        while await pool.fetchval("SELECT count(*) FROM intervals WHERE state IN ('planned', 'settling')"):
            await end_leases(pool)
            lease = await lead(pool, f"process {os.getpid()}")
            try:
                await Submitter(pool, lease, SystemClock(), chain, settlement_keys, keys.mint).settle_due()
            except ChainUnreachableError:
                await asyncio.sleep(0.1)


def _listen(watch: Watch) -> None:
    """Replaces asyncpg's methods: its own query loggers are called later, perhaps after the next query."""
    for kind in (asyncpg.Connection, asyncpg.pool.PoolConnectionProxy):
        kind.execute = _watched(kind.execute, watch)  # type: ignore[method-assign,assignment]  # on purpose


def _watched(execute: Callable[..., Awaitable[Any]], watch: Watch) -> Callable[..., Awaitable[Any]]:
    async def watched(self: Any, query: str, *args: Any, **options: Any) -> Any:
        result = await execute(self, query, *args, **options)
        watch.query(query, args)
        return result

    return watched
