"""Campuses that settle on a real embedded ledger: one that a module shares, and one of a test's own."""

from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from hub.chain.bootstrap import Bootstrap
from hub.chain.client import ChainClient
from hub.chain.ledger.genesis import write_genesis
from hub.db import Pool
from support.ledger import LedgerProcess
from support.settling import ENERGY, SettlingCampus


@pytest.fixture(scope="module")
def keys() -> Bootstrap:
    return Bootstrap.random()


def start_ledger(folder: Path, keys: Bootstrap) -> LedgerProcess:
    write_genesis(folder, keys.genesis())
    process = LedgerProcess(folder, keys.fee_payer)
    process.start()
    return process


@pytest.fixture(scope="module")
def ledger(tmp_path_factory: pytest.TempPathFactory, keys: Bootstrap) -> Iterator[LedgerProcess]:
    """Shared: tests add intervals to it, and no interval meets another's."""
    process = start_ledger(tmp_path_factory.mktemp("ledger"), keys)
    yield process
    process.kill()


@pytest.fixture
async def campus(pool: Pool, ledger: LedgerProcess, keys: Bootstrap) -> AsyncIterator[SettlingCampus]:
    async with ChainClient(ledger.url) as chain:
        yield await SettlingCampus.found(pool, chain, keys, len(ENERGY))


@pytest.fixture
def lone_ledger(tmp_path: Path, keys: Bootstrap) -> Iterator[LedgerProcess]:
    process = start_ledger(tmp_path, keys)
    yield process
    process.kill()


@pytest.fixture
async def lone_campus(pool: Pool, lone_ledger: LedgerProcess, keys: Bootstrap) -> AsyncIterator[SettlingCampus]:
    """With a ledger of its own, on which sums over everything can be compared."""
    async with ChainClient(lone_ledger.url) as chain:
        yield await SettlingCampus.found(pool, chain, keys, len(ENERGY))
