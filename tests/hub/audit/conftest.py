"""A hub that settles on a real embedded ledger and publishes its journals over HTTP, for auditors with two URLs."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from hub.audit.facts import PublicInterval
from hub.chain import setup
from hub.chain.bootstrap import Bootstrap
from hub.chain.client import ChainClient
from hub.postgres.db import Pool
from support.programs.dishonest_hub import HubStatement, Stage
from support.rows.own_proofs import GATEWAY
from support.servers.api import http_server, running_api
from support.servers.ledger import LedgerProcess
from support.settlement.campus import ENERGY, SettlingCampus, meter_of, wallet_of

MAX_POWER_W = 100_000_000


@pytest.fixture
async def campus(pool: Pool, module_ledger: LedgerProcess, keys: Bootstrap) -> AsyncIterator[SettlingCampus]:
    """A campus whose meters are all registered; a settlement takes several transactions."""
    async with ChainClient(module_ledger.url) as chain:
        campus = await SettlingCampus.create(pool, chain, keys, len(ENERGY))
        await setup.ensure_gateways(chain, keys, [GATEWAY])
        meters = [
            setup.MeterEntry(
                meter_of(number), wallet_of(person).pubkey(), GATEWAY, "bidirectional", MAX_POWER_W, "serial"
            )
            for number, person in enumerate(campus.people)
        ]
        await setup.ensure_meters(chain, keys, meters)
        campus.batch_lines = 2
        yield campus


@pytest.fixture
async def hub_url(campus: SettlingCampus, state_dir: Path) -> AsyncIterator[str]:
    """The URL at which the hub answers."""
    async with running_api(campus.pool, state_dir, 0, rpc_url=campus.chain.url) as api, http_server(api.app) as served:
        yield served.url


@pytest.fixture(scope="module")
def stage() -> Stage:
    """A campus in the virtual machine on which an honest hub has settled an interval; tests only read it."""
    return Stage.begin()


@pytest.fixture(scope="module")
def told(stage: Stage) -> HubStatement:
    """What the honest hub stated about that interval."""
    told = stage.honest()
    assert stage.play(told) is None
    return told


@pytest.fixture(scope="module")
def honest(stage: Stage, told: HubStatement) -> PublicInterval:
    """What the public sees of it."""
    return stage.public(told.start_s, told.journal)
