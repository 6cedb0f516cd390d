"""A ledger shared by the tests that only add to it, and a fresh one for those that break it."""

from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from hub.chain.client import ChainClient
from support.ledger import LedgerProcess, new_ledger
from support.nodes import Node, names, open_node


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


@pytest.fixture(scope="session", params=names())
def node(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Node]:
    """The embedded ledger, and the node that the environment names."""
    with open_node(request.param, tmp_path_factory.mktemp("node")) as opened:
        yield opened
