"""Starts the demo's parts in order, each after those that it needs, and prints each step."""

import asyncio
import contextlib
import socket
import time
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from hub.clock import SystemClock
from hub.demo import parts
from hub.demo.chain import prepare_chain, prepare_ledger, wallets_of
from hub.demo.gateways import start_gateways
from hub.demo.people import seed_people
from hub.demo.state import State
from hub.demo.sun import sun_offset
from hub.demo.supervisor import Supervisor
from hub.devices.nats_identity import identity_folder, prepare
from hub.devices.pki import Authority
from hub.embedded.nats_server import broker_config, run_nats
from hub.embedded.postgres import create_database, run_postgres
from hub.embedded.processes import GracePeriod, free_port, on_free_ports
from hub.postgres import db
from hub.settings import Settings, load_settings

HOSTS = ("127.0.0.1", "localhost")
STOP_S, POOL_STOP_S = 8.0, 1.0
"""Seconds. Everything ends within ten seconds of Ctrl-C; a part that hangs is killed in time."""


@dataclass(frozen=True)
class Running:
    """A running demo."""

    url: str
    email: str
    password: str
    settings: Settings
    config: Path
    pool: db.Pool


@dataclass
class Progress:
    """Prints each step with the seconds since the start."""

    output: Callable[[str], None]
    started_s: float

    def __call__(self, text: str) -> None:
        self.output(f"{time.monotonic() - self.started_s:6.1f} s  {text}")


@contextlib.asynccontextmanager
async def run_demo(
    state: State, *, interval_s: int, web: socket.socket, output: Callable[[str], None], scenario: str | None = None
) -> AsyncIterator[Running]:
    """Runs the whole system while the block runs; at the end stops everything in reverse order, within ``STOP_S``.

    ``web`` is the web app's socket, which already listens; ``output`` prints a line of progress. The meters have
    the faults of the simulator's ``scenario``.

    Raises:
        StartError: a part did not start.
        ConfigError: the message says what to correct.
    """
    step, grace = Progress(output, time.monotonic()), GracePeriod(STOP_S)
    async with contextlib.AsyncExitStack() as stack:
        step("PostgreSQL 18")
        server_url = await on_free_ports(
            lambda: stack.enter_async_context(run_postgres(state.part("postgres"), grace=grace))
        )
        database_url = await create_database(server_url, "peerwatt")
        await db.migrate(database_url)
        step("NATS with JetStream, and the workshop's MQTT broker")
        devices = stack.enter_context(socket.create_server(("127.0.0.1", 0), backlog=256))
        values = await _start_nats(state, stack, grace) | _device_listener(state, devices)
        broker = await on_free_ports(lambda: _start_broker(state, stack, grace))
        supervisor = Supervisor(state.part("logs"), output, grace)
        stack.push_async_callback(supervisor.close)
        step("15 meters, and the ledger that runs the programs")
        site_facts = await _site_facts(state, interval_s)
        # a meter's registers and serial number would change without its faults, and nobody would know why
        state.save_values(scenario=scenario)
        keys, wallets = prepare_ledger(state), wallets_of(state)
        async with asyncio.TaskGroup() as group:
            simulator = parts.simulator(state, broker, site_facts["sun_offset_s"], scenario)
            meters = group.create_task(supervisor.start(simulator))
            rpc = group.create_task(on_free_ports(lambda: supervisor.start(parts.ledger(state, free_port()))))
        port = web.getsockname()[1]
        served, rpc_url = meters.result()["meters"], rpc.result()["url"]
        values |= {"database_url": database_url, "rpc_url": rpc_url, "interval_s": interval_s, "web_port": port,
                   "public_origin": f"http://127.0.0.1:{port}", "sun_offset_s": site_facts["sun_offset_s"],
                   **site_facts["place"]}  # fmt: skip
        config = parts.write_hub_config(state, values)
        settings = load_settings(config)
        step("people, wallets, and the five programs' first accounts")
        password = state.secret("login")
        now_s = SystemClock().now_ms() // 1000
        # from here on the length of an interval is fixed on the chain
        state.save_values(interval_s=interval_s)
        await prepare_chain(rpc_url, keys, wallets, site_facts["meters"], interval_s=interval_s, now_s=now_s)
        pool = await db.create_pool(database_url, size=4)
        stack.push_async_callback(_close_pool, pool, grace)
        await seed_people(pool, wallets, password, site_facts["meters"])
        step("API, web app and worker")
        async with asyncio.TaskGroup() as group:
            group.create_task(supervisor.start(parts.web(config, web, devices)))
            group.create_task(supervisor.start(parts.hub_process("worker", config)))
        step("three gateways: enrol, then read their meters")
        await start_gateways(state, settings, pool, keys, supervisor, served, broker)
        step("running")
        try:
            yield Running(settings.public_origin, "ada@campus.example", password, settings, config, pool)
        finally:
            step("stopping")


async def _close_pool(pool: db.Pool, grace: GracePeriod) -> None:
    """Closes the pool's connections, or gives up when the server hangs."""
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(min(POOL_STOP_S, grace.left())):
            await pool.close()


async def _start_nats(state: State, stack: contextlib.AsyncExitStack, grace: GracePeriod) -> dict[str, Any]:
    """Starts the hub's NATS server, with permissions by JWT and TLS by the hub's own CA; returns settings."""
    clock, folder = SystemClock(), state.part("nats")
    identity = prepare(identity_folder(state.folder), clock)
    authority = Authority.load_or_create(state.part("pki"), clock)
    certificate = authority.server_certificate("nats", HOSTS, clock)

    async def start() -> int:
        port = free_port()
        config = identity.server_config(certificate, port=port, store_dir=folder / "jetstream")
        await stack.enter_async_context(run_nats(folder, config, grace=grace))
        return port

    return {
        "nats_url": f"tls://127.0.0.1:{await on_free_ports(start)}",
        "nats_ca_file": str(authority.ca_file),
        "nats_creds_file": str(identity.creds_file),
    }


def _device_listener(state: State, listener: socket.socket) -> dict[str, Any]:
    """Issues the certificate of the gateways' listener; returns settings."""
    clock = SystemClock()
    devices = Authority.load_or_create(state.part("pki"), clock).server_certificate("devices", HOSTS, clock)
    return {
        "device_port": listener.getsockname()[1],
        "device_tls_cert": str(devices.cert_file),
        "device_tls_key": str(devices.key_file),
    }


async def _start_broker(state: State, stack: contextlib.AsyncExitStack, grace: GracePeriod) -> parts.Broker:
    broker = parts.Broker(free_port(), "workshop", state.secret("broker"))
    folder = state.part("broker")
    text = broker_config(
        folder / "store", port=free_port(), mqtt_port=broker.port, username=broker.username, password=broker.password
    )
    await stack.enter_async_context(run_nats(folder, text, name="broker", grace=grace))
    return broker


async def _site_facts(state: State, interval_s: int) -> dict[str, Any]:
    """Returns the simulator's meters by id, and the offset of the site's clock for this start."""
    site = await parts.describe_site()
    offset_s = sun_offset(state.load_values().get("sun_offset_s"), site["sun_offset_s"], interval_s)
    state.save_values(sun_offset_s=offset_s)
    return {
        "sun_offset_s": offset_s,
        "place": {"site_latitude": site["site"]["latitude"], "site_longitude": site["site"]["longitude"]},
        "meters": {meter["id"]: meter for meter in site["meters"]},
    }
