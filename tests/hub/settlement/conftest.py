"""Campuses that settle on a real node: one that the tests of a module share, and one for a single test.

The shared one is also run on the node that PEERWATT_TEST_RPC_URL names (support/servers/nodes.py).
"""

import asyncio
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from shutil import copytree

import pytest
from solders.keypair import Keypair

from hub.chain.bootstrap import Bootstrap
from hub.chain.client import ChainClient
from hub.clock import ManualClock
from hub.market.auction.service import clear_attested
from hub.metering.oracle import OracleConfig, attest_due
from hub.postgres.db import Pool
from hub.settlement.keys import SettlementKeys
from hub.settlement.planner import plan_cleared
from hub.settlement.submitter import Submitter
from support.rows.site_rows import ALWAYS, KnownFunds, add_interval_energy, add_meter, add_participant, add_rates, lead
from support.rows.worked_example import INTERVAL_S, START_S, A, B, C
from support.servers.faulty_node import FaultyNode
from support.servers.ledger import LedgerProcess, running_ledger
from support.servers.nodes import NO_CHAIN, SettlingNode, open_settling_node, settling_names
from support.settlement.campus import ENERGY, SettlingCampus
from support.settlement.settled_once import WatchedCampus, watch_campus


@pytest.fixture(scope="module", params=settling_names())
def settling_node(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[SettlingNode]:
    """A node that tests share; each adds intervals of its own."""
    with open_settling_node(request.param, tmp_path_factory.mktemp("ledger")) as opened:
        yield opened


@pytest.fixture
async def campus(pool: Pool, settling_node: SettlingNode) -> AsyncIterator[SettlingCampus]:
    async with ChainClient(settling_node.url) as chain:
        yield await SettlingCampus.create(pool, chain, settling_node.keys, len(ENERGY))


@pytest.fixture(scope="session")
def founded(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the keys and the ledger of a campus that is founded and has done nothing yet, to be copied."""
    folder = tmp_path_factory.mktemp("founded")
    keys = Bootstrap.load_or_create(folder / "keys")

    async def found(url: str) -> None:
        async with ChainClient(url) as chain:
            await SettlingCampus.found(chain, keys, len(ENERGY))

    with running_ledger(folder / "ledger", keys) as ledger:
        asyncio.run(found(ledger.url))
        assert ledger.stop() == 0
    return folder


@pytest.fixture
def keys(tmp_path: Path, founded: Path) -> Bootstrap:
    """The keys of the ledgers that belong to a single test, in the files that a worker with this state folder reads."""
    return Bootstrap.load_or_create(copytree(founded / "keys", tmp_path / "keys"))


@pytest.fixture
def lone_ledger(tmp_path: Path, founded: Path, keys: Bootstrap) -> Iterator[LedgerProcess]:
    """A founded ledger of its own."""
    ledger = LedgerProcess(copytree(founded / "ledger", tmp_path / "ledger"), keys.fee_payer)
    ledger.start()
    try:
        yield ledger
    finally:
        ledger.kill()


@pytest.fixture
async def lone_campus(pool: Pool, lone_ledger: LedgerProcess, keys: Bootstrap) -> AsyncIterator[SettlingCampus]:
    """A campus with a ledger of its own, so that sums over all intervals can be compared."""
    async with ChainClient(lone_ledger.url) as chain:
        yield await SettlingCampus.create(pool, chain, keys, len(ENERGY))


@pytest.fixture
def upstream_url(settling_node: SettlingNode) -> str:
    """The node behind the faulty ones."""
    return settling_node.url


@pytest.fixture
async def alone(campus: SettlingCampus, first: FaultyNode) -> AsyncIterator[WatchedCampus]:
    """A campus that settles through one node."""
    async with watch_campus(campus, first.url) as watched:
        yield watched


@pytest.fixture
async def both(campus: SettlingCampus, first: FaultyNode, second: FaultyNode) -> AsyncIterator[WatchedCampus]:
    """A campus that settles through two nodes."""
    async with watch_campus(campus, first.url, second.url) as watched:
        yield watched


@pytest.fixture
async def cleared(pool: Pool) -> Pool:
    """Two cleared intervals from ``START_S`` on: in the first A sells 300 Wh to B and C, in the second nobody sells."""
    await add_rates(pool)
    energy = {A: [(0, 300), (5, 0)], B: [(200, 0), (5, 0)], C: [(400, 0), (5, 0)]}
    for person, rows in energy.items():
        await add_participant(pool, person)
        await add_meter(pool, f"METER_{person.int:03}", person, expected_from_s=START_S)
        for n, row in enumerate(rows):
            await add_interval_energy(pool, f"METER_{person.int:03}", START_S + n * INTERVAL_S, INTERVAL_S, row)
    lease, clock = await lead(pool), ManualClock((START_S + 10 * INTERVAL_S) * 1000)
    await attest_due(
        pool, lease, clock, OracleConfig(INTERVAL_S, poll_period_s=60, grace_s=120, coverage=ALWAYS), limit=2
    )
    await clear_attested(pool, lease, clock, KnownFunds())
    return pool


@pytest.fixture
async def submitter(cleared: Pool) -> AsyncIterator[Submitter]:
    """Leads, with the two cleared intervals planned; no chain answers."""
    clock, lease, key = ManualClock((START_S + 10 * INTERVAL_S) * 1000), await lead(cleared), Keypair()
    assert len(await plan_cleared(cleared, lease, clock)) == 2
    async with ChainClient(NO_CHAIN) as chain:
        yield Submitter(cleared, lease, clock, chain, SettlementKeys(key, (key,), key), Keypair().pubkey())
