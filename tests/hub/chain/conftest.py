"""The nodes that the conformance tests run on."""

from collections.abc import Iterator

import pytest

from support.servers.nodes import Node, names, open_node


@pytest.fixture(scope="session", params=names())
def node(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Node]:
    """The embedded ledger, and the node that the environment names."""
    with open_node(request.param, tmp_path_factory.mktemp("node")) as opened:
        yield opened
