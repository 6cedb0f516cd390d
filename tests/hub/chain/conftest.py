"""A ledger shared by the tests that only add to it, and a fresh one for those that break it."""

from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from hub.chain.client import ChainClient
from hub.cli import main
from support.ledger import LedgerProcess, new_ledger


@pytest.fixture(scope="session")
def shared_ledger(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LedgerProcess]:
    with new_ledger(tmp_path_factory.mktemp("ledger")) as ledger:
        yield ledger
        # whatever the tests did, programs and all, follows from the log alone
        assert main(["ledger", "verify", str(ledger.folder)]) == 0


@pytest.fixture
def ledger(tmp_path: Path) -> Iterator[LedgerProcess]:
    with new_ledger(tmp_path / "ledger") as ledger:
        yield ledger


@pytest.fixture
async def chain(shared_ledger: LedgerProcess) -> AsyncIterator[ChainClient]:
    async with ChainClient(shared_ledger.url) as client:
        yield client
