"""What doctor says of the chain's nodes: which does not answer or is behind, and what the worker's metrics say."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from prometheus_client import CollectorRegistry, Counter, Gauge, start_http_server
from pydantic import SecretStr

from hub.operations.nodes import NodesUnhealthyError, look_at_nodes
from hub.settings import Settings
from support.servers.faulty_node import FaultyNode
from support.servers.ledger import LedgerProcess
from support.servers.rpc_faults import Lags, Refuses


@pytest.fixture
def upstream_url(module_ledger: LedgerProcess) -> str:
    return module_ledger.url


@pytest.fixture
def settings(tmp_path: Path, module_ledger: LedgerProcess, second: FaultyNode) -> Settings:
    return Settings(
        state_dir=tmp_path, database_url=SecretStr("unused"), rpc_url=module_ledger.url, more_rpc_urls=[second.url]
    )


def name(url: str) -> str:
    return url.removeprefix("http://")


@contextmanager
def worker_that_saw(node: str, breaker: int, disagreements: int) -> Iterator[int]:
    """The port of a worker's metrics."""
    registry = CollectorRegistry()
    Gauge("peerwatt_chain_node_breaker", "-", ["node"], registry=registry).labels(node).set(breaker)
    about = Counter("peerwatt_chain_nodes_disagree_total", "-", ["about"], registry=registry).labels("finality")
    about.inc(disagreements)
    server, thread = start_http_server(0, "127.0.0.1", registry=registry)
    yield server.server_port
    server.shutdown()
    server.server_close()
    thread.join()


async def test_nodes_in_order(settings: Settings, module_ledger: LedgerProcess, second: FaultyNode) -> None:
    with worker_that_saw(name(second.url), breaker=0, disagreements=0) as port:
        line = await look_at_nodes(settings.model_copy(update={"metrics_port": port}))
    assert f"{name(module_ledger.url)} is at final slot " in line
    assert "the worker's breaker is closed; final is what 2 of 2 say" in line


@pytest.mark.parametrize(
    ("fault", "message"), [(Refuses(status=500), "does not serve"), (Lags(slots=300), "slots behind")]
)
async def test_a_node_that_is_away_or_behind(
    settings: Settings, module_ledger: LedgerProcess, second: FaultyNode, fault: Refuses | Lags, message: str
) -> None:
    # a young chain has not so many slots yet
    module_ledger.restart_ahead(300)
    second.faults = [fault]
    with pytest.raises(NodesUnhealthyError) as caught:
        await look_at_nodes(settings)
    assert message in str(caught.value).split("; ")[1] and name(second.url) in str(caught.value)


@pytest.mark.parametrize(
    ("breaker", "disagreements", "message"), [(2, 0, "breaker is open"), (0, 3, "saw them disagree 3 times")]
)
async def test_what_the_worker_saw(
    settings: Settings, second: FaultyNode, breaker: int, disagreements: int, message: str
) -> None:
    with (
        worker_that_saw(name(second.url), breaker, disagreements) as port,
        pytest.raises(NodesUnhealthyError, match=message),
    ):
        await look_at_nodes(settings.model_copy(update={"metrics_port": port}))
