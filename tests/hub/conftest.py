"""Fixtures of the hub's tests: a NATS server of their own with the hub's rights; a ledger shared by the tests that only
add to it, and a fresh one for those that break it; the API on the seeded campus."""

from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from hub.chain.client import ChainClient
from hub.postgres.db import Pool
from support.rows.seed import INTERVAL_S, NOW_S, Campus, seed_campus
from support.servers.api import Api, running_api
from support.servers.ledger import LedgerProcess, new_ledger
from support.servers.nats import HubNats, run_hub_nats

NO_CHAIN = "http://127.0.0.1:1"


@pytest.fixture
async def nats_server(tmp_path: Path) -> AsyncIterator[HubNats]:
    """A fresh server in operator mode with TLS, JetStream and the stream of frames."""
    async with run_hub_nats(tmp_path / "nats-server") as server:
        yield server


@pytest.fixture(scope="session")
def shared_ledger(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LedgerProcess]:
    with new_ledger(tmp_path_factory.mktemp("ledger")) as ledger:
        yield ledger
        ledger.verify()


@pytest.fixture
def ledger(tmp_path: Path) -> Iterator[LedgerProcess]:
    with new_ledger(tmp_path / "ledger") as ledger:
        yield ledger


@pytest.fixture
async def chain(shared_ledger: LedgerProcess) -> AsyncIterator[ChainClient]:
    async with ChainClient(shared_ledger.url) as client:
        yield client


@pytest.fixture
async def campus(pool: Pool) -> Campus:
    async with pool.acquire() as connection:
        return await seed_campus(connection)


@pytest.fixture
async def api(pool: Pool, state_dir: Path, campus: Campus) -> AsyncIterator[Api]:
    async with running_api(pool, state_dir, NOW_S * 1000, interval_s=INTERVAL_S, rpc_url=NO_CHAIN) as api:
        yield api
