"""Fixtures of the hub's tests: a NATS server with the hub's rights, embedded ledgers (one for a single test, one for a
module, one for all), faulty RPC nodes in front of them, and the API on the seeded campus."""

from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from hub.chain.bootstrap import Bootstrap
from hub.chain.client import ChainClient
from hub.postgres.db import Pool
from support.rows.seed import INTERVAL_S, NOW_S, Campus, seed_campus
from support.servers.api import Api, running_api
from support.servers.faulty_node import FaultyNode, faulty_node
from support.servers.ledger import LedgerProcess, new_ledger, running_ledger
from support.servers.nats import HubNats, run_hub_nats
from support.servers.nodes import NO_CHAIN


@pytest.fixture
async def nats_server(tmp_path: Path) -> AsyncIterator[HubNats]:
    """A fresh server in operator mode with TLS, JetStream and the stream of frames."""
    async with run_hub_nats(tmp_path / "nats-server") as server:
        yield server


@pytest.fixture(scope="session")
def shared_ledger(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LedgerProcess]:
    """A ledger that all tests of a process share, for tests that only add to it."""
    with new_ledger(tmp_path_factory.mktemp("ledger")) as ledger:
        yield ledger
        ledger.verify()


@pytest.fixture
def ledger(tmp_path: Path) -> Iterator[LedgerProcess]:
    """A ledger for a single test, which may kill or damage it."""
    with new_ledger(tmp_path / "ledger") as ledger:
        yield ledger


@pytest.fixture(scope="module")
def keys() -> Bootstrap:
    """The keys that can found the programs on ``module_ledger``."""
    return Bootstrap.random()


@pytest.fixture(scope="module")
def module_ledger(tmp_path_factory: pytest.TempPathFactory, keys: Bootstrap) -> Iterator[LedgerProcess]:
    """A ledger that the tests of a module share; its programs are deployed, and not founded yet."""
    with running_ledger(tmp_path_factory.mktemp("ledger"), keys) as ledger:
        yield ledger
        ledger.verify()


@pytest.fixture
def upstream_url(shared_ledger: LedgerProcess) -> str:
    """The RPC URL of the node behind ``first`` and ``second``."""
    return shared_ledger.url


@pytest.fixture
async def first(upstream_url: str) -> AsyncIterator[FaultyNode]:
    """An RPC node to which a test adds faults."""
    async with faulty_node(upstream_url) as node:
        yield node


@pytest.fixture
async def second(upstream_url: str) -> AsyncIterator[FaultyNode]:
    """Another RPC node of the same chain, with faults of its own."""
    async with faulty_node(upstream_url) as node:
        yield node


@pytest.fixture
async def chain(shared_ledger: LedgerProcess) -> AsyncIterator[ChainClient]:
    """A client of ``shared_ledger``."""
    async with ChainClient(shared_ledger.url) as client:
        yield client


@pytest.fixture
async def campus(pool: Pool) -> Campus:
    """The rows of a seeded campus."""
    async with pool.acquire() as connection:
        return await seed_campus(connection)


@pytest.fixture
async def api(pool: Pool, state_dir: Path, campus: Campus) -> AsyncIterator[Api]:
    """The API on the seeded campus, without a chain."""
    async with running_api(pool, state_dir, NOW_S * 1000, interval_s=INTERVAL_S, rpc_url=NO_CHAIN) as api:
        yield api
