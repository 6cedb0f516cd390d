"""The worker while its servers stop and start again: it logs an outage once, keeps trying, and needs no restart."""

import asyncio
import contextlib
import os
from collections.abc import AsyncIterator
from dataclasses import astuple, dataclass
from itertools import pairwise
from pathlib import Path
from urllib.parse import urlsplit

import httpx

from hub.chain import setup
from hub.chain.bootstrap import Bootstrap
from hub.chain.client import ChainClient
from hub.clock import SystemClock, at_s
from hub.demo.chain import RATES
from hub.devices.nats_identity import GatewayIssuer, NatsIdentity, identity_folder, prepare
from hub.devices.pki import Authority, ServerCertificate
from hub.embedded.nats_server import run_nats
from hub.embedded.postgres import create_database, run_postgres
from hub.embedded.processes import free_port
from hub.ingest import bus
from hub.ledger.genesis import genesis_for, write_genesis
from hub.postgres import db
from support.rows.gateways import SealingGateway, reading
from support.servers.hub_process import HUB, hub_process, write_settings
from support.servers.ledger import LedgerProcess
from support.servers.nats import HubNats
from support.servers.port_proxy import PortProxy, port_proxy
from support.waiting import eventually


@dataclass
class Servers:
    """The servers of a worker; each can be stopped and started again, behind the same proxy."""

    state: Path
    identity: NatsIdentity
    certificate: ServerCertificate
    ledger: LedgerProcess
    config: Path
    database_proxy: PortProxy
    nats_proxy: PortProxy
    chain_proxy: PortProxy

    @contextlib.asynccontextmanager
    async def postgres(self) -> AsyncIterator[str]:
        async with run_postgres(self.state / "pg", durable=False) as server_url:
            url = await create_database(server_url, "peerwatt")
            async with self.database_proxy.forwarding(port_of(url)):
                yield url

    @contextlib.asynccontextmanager
    async def nats(self) -> AsyncIterator[None]:
        async with self.nats_behind_the_proxy() as running, self.nats_proxy.forwarding(port_of(running.url)):
            yield

    @contextlib.asynccontextmanager
    async def nats_behind_the_proxy(self) -> AsyncIterator[HubNats]:
        """A server that runs but that the worker does not reach."""
        port = free_port()
        config = self.identity.server_config(self.certificate, port=port, store_dir=self.state / "jetstream")
        issuer = GatewayIssuer.load(identity_folder(self.state))
        async with run_nats(self.state / "nats", config):
            yield HubNats(f"tls://127.0.0.1:{port}", self.state, self.identity, self.certificate, issuer)

    def start_chain(self) -> None:
        self.chain_proxy.upstream_port = port_of(self.ledger.start())

    def stop_chain(self) -> None:
        self.ledger.stop()


def port_of(url: str) -> int:
    port = urlsplit(url).port
    assert port is not None
    return port


@contextlib.asynccontextmanager
async def prepared(state: Path, **settings: int) -> AsyncIterator[Servers]:
    """A migrated database, a NATS identity and a founded chain, of which only the chain runs."""
    clock = SystemClock()
    identity = prepare(identity_folder(state), clock)
    certificate = Authority.load_or_create(state / "pki", clock).server_certificate("nats", ["127.0.0.1"], clock)
    keys = Bootstrap.load_or_create(state / "keys")
    write_genesis(state / "ledger", genesis_for(keys))
    ledger = LedgerProcess(state / "ledger", keys.fee_payer)
    async with port_proxy() as database_proxy, port_proxy() as nats_proxy, port_proxy() as chain_proxy:
        proxies = database_proxy, nats_proxy, chain_proxy
        servers = Servers(state, identity, certificate, ledger, state / "hub.toml", *proxies)
        try:
            servers.start_chain()
            async with ChainClient(ledger.url) as chain:
                await setup.ensure_genesis(chain, keys, rates=RATES, interval_s=60)
            async with servers.postgres() as url:
                await db.migrate(url)
            _configure(servers, url.replace(f":{port_of(url)}/", f":{database_proxy.port}/"), settings)
            yield servers
        finally:
            ledger.kill()


def _configure(servers: Servers, database_url: str, settings: dict[str, int]) -> None:
    values = {
        "state_dir": servers.state,
        "database_url": database_url,
        "nats_url": f"tls://127.0.0.1:{servers.nats_proxy.port}",
        "nats_ca_file": servers.certificate.ca_file,
        "nats_creds_file": servers.identity.creds_file,
        "rpc_url": f"http://127.0.0.1:{servers.chain_proxy.port}",
        "interval_s": 60,
        **settings,
    }
    write_settings(servers.config, **values)


AWAY, BACK = "trying again until it works", "works again"


async def test_what_goes_away_is_said_once_and_what_comes_back_is_used_again(state_dir: Path) -> None:
    async with prepared(state_dir) as servers, contextlib.AsyncExitStack() as stack:
        postgres = contextlib.AsyncExitStack()
        await postgres.enter_async_context(servers.postgres())
        # NATS is not there at the start
        running = await stack.enter_async_context(hub_process("worker", servers.config))
        await running.wait_for_line(AWAY, "ingest")
        assert "NATS at tls://" in running.logged(AWAY, "ingest")[0]["reason"]
        nats = contextlib.AsyncExitStack()
        await nats.enter_async_context(servers.nats())
        await running.wait_for_line(BACK, "ingest")
        await nats.aclose()
        await running.wait_for_line(AWAY, "nats")
        await stack.enter_async_context(servers.nats())
        await running.wait_for_line(BACK, "nats")

        await postgres.aclose()
        for loop in ("oracle", "market", "settlement", "release"):
            await running.wait_for_line(AWAY, loop)
        url = await stack.enter_async_context(servers.postgres())
        for loop in ("oracle", "market", "settlement", "release"):
            await running.wait_for_line(BACK, loop)

        async with db.connected(url) as connection:
            rates = await connection.fetchrow("SELECT * FROM rates")
        assert rates is not None and list(rates.values())[1:] == list(astuple(RATES))[1:]

        servers.stop_chain()
        await running.wait_for_line(AWAY, "settlement", reason="does not answer")
        ended_outages = len(running.logged(BACK, "settlement"))
        servers.start_chain()
        await running.wait_for_line(BACK, "settlement", ended_outages + 1)
    for loop in ("ingest", "nats", "oracle", "market", "settlement", "release"):
        events = [(line["event"], line["code"]) for line in running.lines() if line.get("loop") == loop]
        assert not [event for event, following in pairwise(events) if event == following], events
    assert "Traceback" not in running.log.read_text()


async def test_energy_that_waits_in_the_stream_is_not_missing(state_dir: Path) -> None:
    """The interval and its grace passed long ago, but the worker could not read the waiting frames yet."""
    start_s = SystemClock().now_ms() // 1000 // 30 * 30 - 60
    north = SealingGateway("gw-north", meters=("METER_001",))
    metrics_port = free_port()
    settings = {"interval_s": 30, "poll_period_s": 10, "attest_grace_s": 0, "metrics_port": metrics_port}
    async with prepared(state_dir, **settings) as servers, servers.postgres() as url, await db.create_pool(url) as pool:
        await north.register(pool)
        await pool.execute("UPDATE meters SET expected_from = $1", at_s(start_s))
        async with hub_process("worker", servers.config) as running:
            await running.wait_for_line(AWAY, "ingest")
            async with httpx.AsyncClient() as client:
                metrics = await client.get(f"http://127.0.0.1:{metrics_port}/metrics")
            assert "peerwatt_ingest_frames_total" in metrics.text
            await _rounds(pool, "oracle", 3)
            assert await pool.fetchval("SELECT count(*) FROM intervals") == 0
            async with servers.nats_behind_the_proxy() as nats:
                async with nats.as_hub() as hub, nats.as_gateway("gw-north") as gateway:
                    await bus.ensure_stream(hub.jetstream())
                    slots = [reading(0, n, slot_s=start_s + n * 10, read_offset_ms=0) for n in range(4)]
                    await gateway.publish_frame(north.seal([*north.declarations(), *slots]).encode())
                async with servers.nats_proxy.forwarding(port_of(nats.url)):

                    async def attested() -> bool:
                        return bool(await pool.fetchval("SELECT count(*) FROM intervals"))

                    await eventually(attested, what="an attested interval")
        row = await pool.fetchrow("SELECT * FROM interval_readings WHERE start_at = $1", at_s(start_s))
        assert row is not None and (row["quality"], row["import_wh"]) == ("valid", 9)


async def _rounds(pool: db.Pool, loop: str, count: int) -> None:
    """Waits until the loop has begun that many rounds: each takes the lease anew."""
    for _ in range(count + 1):
        expires_at = await pool.fetchval("SELECT expires_at FROM leases WHERE name = $1", loop)

        async def is_renewed() -> bool:
            return bool(await pool.fetchval("SELECT expires_at FROM leases WHERE name = $1", loop) != expires_at)  # noqa: B023

        await eventually(is_renewed, what=f"a round of {loop}")


async def test_a_worker_without_a_database_ends_with_try_again(state_dir: Path) -> None:
    config = state_dir / "hub.toml"
    config.write_text(f'state_dir = "{state_dir}"\ndatabase_url = "postgresql://x:y@127.0.0.1:{free_port()}/z"\n')
    process = await asyncio.create_subprocess_exec(
        HUB, "worker", "--config", config, stderr=asyncio.subprocess.PIPE, env={**os.environ}
    )
    _, errors = await process.communicate()
    assert process.returncode == 75
    assert b"PostgreSQL does not let us in" in errors and b"PEERWATT_HUB_DATABASE_URL" in errors
    assert b"Traceback" not in errors
