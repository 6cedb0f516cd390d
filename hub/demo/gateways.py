"""Puts the demo's gateways into service as facilities staff would: initialise, enrol with a one-time token, run."""

import asyncio
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from solders.pubkey import Pubkey

from hub.chain import setup
from hub.chain.bootstrap import Bootstrap
from hub.chain.client import ChainClient
from hub.clock import SystemClock, at_ms
from hub.demo import parts
from hub.demo.site import BUILDINGS, Building
from hub.demo.state import State
from hub.demo.supervisor import Supervisor
from hub.devices import repository
from hub.devices.registration import expect_meters
from hub.devices.service import make_token
from hub.embedded.processes import StartError, run_once
from hub.postgres import db
from hub.settings import Settings

FIRST_READINGS_MS = 5000
"""Milliseconds that an agent has after its start for its first readings."""


async def start_gateways(
    state: State, settings: Settings, pool: db.Pool, keys: Bootstrap, supervisor: Supervisor,
    served: Mapping[str, Any], broker: parts.Broker,
) -> None:  # fmt: skip
    """Enrols gateways that are not enrolled yet, registers their keys on the chain, and starts the agents.

    Raises:
        StartError: an agent did not start or could not enrol.
    """
    async with asyncio.TaskGroup() as group:
        for building in BUILDINGS:
            config = parts.write_agent_config(state, building, served, settings, broker)
            group.create_task(_put_into_service(pool, settings, keys, building, config))
    for building in BUILDINGS:
        await supervisor.start(parts.agent(building.gateway_id, parts.agent_config(state, building)))
    async with pool.acquire() as connection:
        await expect_meters(connection, at_ms(SystemClock().now_ms() + FIRST_READINGS_MS))


async def _put_into_service(
    pool: db.Pool, settings: Settings, keys: Bootstrap, building: Building, config: Path
) -> None:
    gateway_id = building.gateway_id
    key = await _active_key(pool, gateway_id)
    if key is None:
        async with pool.acquire() as connection, connection.transaction():
            token = await make_token(connection, gateway_id, SystemClock())
        await _run_edge_command("init", "--config", str(config))
        await _run_edge_command("enroll", "--config", str(config), env={"PEERWATT_EDGE_TOKEN": token})
        key = await _active_key(pool, gateway_id)
    if key is None:
        raise StartError(f"{gateway_id} enrolled, yet the hub has no key of it: see `peerwatt-hub doctor`")
    async with ChainClient(settings.rpc_url) as chain:
        now_s = SystemClock().now_ms() // 1000
        await setup.ensure_gateway_key(chain, keys, gateway_id, Pubkey.from_bytes(key), now_s)


async def _active_key(pool: db.Pool, gateway_id: str) -> bytes | None:
    async with pool.acquire() as connection:
        return await repository.active_key(connection, gateway_id)


async def _run_edge_command(*arguments: str, env: Mapping[str, str] | None = None) -> None:
    await run_once([str(parts.SCRIPTS / "peerwatt-edge"), *arguments], env=env)
