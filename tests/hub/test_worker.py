"""The worker while what it needs goes away and comes back: it says so once, keeps trying, and needs no restart."""

import asyncio
import contextlib
import json
import os
import sys
from collections.abc import AsyncIterator
from dataclasses import astuple, dataclass
from pathlib import Path
from typing import Any

from hub import db
from hub.chain import setup
from hub.chain.bootstrap import Bootstrap
from hub.chain.client import ChainClient
from hub.chain.ledger.genesis import write_genesis
from hub.clock import SystemClock
from hub.demo.chain import RATES
from hub.devices.nats_identity import NatsIdentity, identity_folder, prepare
from hub.devices.pki import Authority
from hub.embedded.nats_server import run_nats
from hub.embedded.postgres import create_database, run_postgres
from hub.embedded.processes import free_port
from support.ledger import LedgerProcess
from support.nats import eventually

HUB = Path(sys.executable).with_name("peerwatt-hub")


@dataclass
class Ground:
    """What a worker stands on; each can be taken away and put back where it was."""

    state: Path
    pg_port: int
    nats_port: int
    nats_config: str
    ledger: LedgerProcess
    config: Path
    database_url: str = ""

    def postgres(self) -> contextlib.AbstractAsyncContextManager[str]:
        return run_postgres(self.state / "pg", durable=False, port=self.pg_port)

    def nats(self) -> contextlib.AbstractAsyncContextManager[None]:
        return run_nats(self.state / "nats", self.nats_config)


async def prepared(state: Path) -> Ground:
    """A migrated database, a NATS identity and a founded chain; everything stopped again."""
    clock, nats_port, pg_port = SystemClock(), free_port(), free_port()
    identity: NatsIdentity = prepare(identity_folder(state), clock)
    certificate = Authority.load_or_create(state / "pki", clock).server_certificate("nats", ["127.0.0.1"], clock)
    nats_config = identity.server_config(certificate, port=nats_port, store_dir=state / "jetstream")
    keys = Bootstrap.load_or_create(state / "keys")
    write_genesis(state / "ledger", keys.genesis())
    ledger = LedgerProcess(state / "ledger", keys.fee_payer)
    ledger.start()
    async with ChainClient(ledger.url) as chain:
        await setup.ensure_genesis(chain, keys, rates=RATES, interval_s=60)
    ground = Ground(state, pg_port, nats_port, nats_config, ledger, state / "hub.toml")
    async with ground.postgres() as server_url:
        database_url = await create_database(server_url, "peerwatt")
        await db.migrate(database_url)
    ground.database_url = database_url
    settings = {
        "state_dir": str(state),
        "database_url": database_url,
        "nats_url": f"tls://127.0.0.1:{nats_port}",
        "nats_ca_file": str(certificate.ca_file),
        "nats_creds_file": str(identity.creds_file),
        "rpc_url": ledger.url,
        "interval_s": 60,
    }
    ground.config.write_text("".join(f"{name} = {json.dumps(value)}\n" for name, value in settings.items()))
    return ground


class Worker:
    """`peerwatt-hub worker` and what it says."""

    def __init__(self, process: asyncio.subprocess.Process, log: Path) -> None:
        self.process = process
        self.log = log

    def lines(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self.log.read_text().splitlines()]

    def said(self, event: str, loop: str) -> list[dict[str, Any]]:
        return [line for line in self.lines() if line["event"] == event and line.get("loop") == loop]

    async def says(self, event: str, loop: str, times: int = 1) -> None:
        def heard() -> bool:
            assert self.process.returncode is None, self.log.read_text()
            return len(self.said(event, loop)) >= times

        await eventually(heard, seconds=30, what=f"{loop}: {event}")


@contextlib.asynccontextmanager
async def worker(ground: Ground) -> AsyncIterator[Worker]:
    log = ground.state / "worker.log"
    with log.open("wb") as sink:
        process = await asyncio.create_subprocess_exec(
            HUB, "worker", "--config", ground.config, stdout=asyncio.subprocess.PIPE, stderr=sink
        )
    assert process.stdout is not None
    try:
        assert json.loads(await process.stdout.readline())["ready"], log.read_text()
        yield Worker(process, log)
    finally:
        if process.returncode is None:
            process.terminate()
        assert await asyncio.wait_for(process.wait(), 15) == 0, log.read_text()


AWAY, BACK = "trying again until it works", "works again"


async def test_what_goes_away_is_said_once_and_what_comes_back_is_used_again(state_dir: Path) -> None:
    ground = await prepared(state_dir)
    async with contextlib.AsyncExitStack() as stack:
        stack.callback(ground.ledger.kill)
        postgres = contextlib.AsyncExitStack()
        await postgres.enter_async_context(ground.postgres())
        # NATS is not there at the start
        running = await stack.enter_async_context(worker(ground))
        await running.says(AWAY, "ingest")
        assert "NATS at tls://" in running.said(AWAY, "ingest")[0]["reason"]
        nats = contextlib.AsyncExitStack()
        await nats.enter_async_context(ground.nats())
        await running.says(BACK, "ingest")
        await nats.aclose()
        await running.says(AWAY, "nats", 2)
        await stack.enter_async_context(ground.nats())
        await running.says(BACK, "nats")

        await postgres.aclose()
        for loop in ("oracle", "market", "settlement", "release"):
            await running.says(AWAY, loop)
        await stack.enter_async_context(ground.postgres())
        for loop in ("oracle", "market", "settlement", "release"):
            await running.says(BACK, loop)

        async with db.connected(ground.database_url) as connection:
            copied = await connection.fetchrow("SELECT * FROM rates")
        assert copied is not None and list(copied.values())[1:] == list(astuple(RATES))[1:]

        port = int(ground.ledger.url.rpartition(":")[2])
        ground.ledger.stop()
        await running.says(AWAY, "settlement", 2)
        assert "does not answer" in running.said(AWAY, "settlement")[-1]["reason"]
        ground.ledger.start(port=port)
        await running.says(BACK, "settlement", 2)
    said = [(line["loop"], line["code"]) for line in running.lines() if line["event"] == AWAY]
    assert len(said) <= 16, said
    assert "Traceback" not in running.log.read_text()


async def test_a_worker_without_a_database_ends_with_try_again(state_dir: Path) -> None:
    config = state_dir / "hub.toml"
    config.write_text(f'state_dir = "{state_dir}"\ndatabase_url = "postgresql://x:y@127.0.0.1:{free_port()}/z"\n')
    process = await asyncio.create_subprocess_exec(
        HUB, "worker", "--config", config, stderr=asyncio.subprocess.PIPE, env={**os.environ}
    )
    _, said = await process.communicate()
    assert process.returncode == 75
    assert b"PostgreSQL does not let us in" in said and b"PEERWATT_HUB_DATABASE_URL" in said
    assert b"Traceback" not in said
