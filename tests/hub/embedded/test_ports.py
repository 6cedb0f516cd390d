"""A free port that another process takes before the server binds it: one more try, for every server."""

import contextlib
import socket
import sys
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from hub.chain.bootstrap import Bootstrap
from hub.demo.supervisor import Part, Supervisor
from hub.embedded.nats_server import broker_config, run_nats
from hub.embedded.postgres import run_postgres
from hub.embedded.processes import GracePeriod, free_port, on_free_ports
from hub.ledger.genesis import genesis_for, write_genesis

HUB = Path(sys.executable).with_name("peerwatt-hub")


@pytest.fixture
def ports() -> Iterator[list[int]]:
    """A port that is taken, and one that is free."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield [server.getsockname()[1], free_port()]


@pytest.fixture
async def stack() -> AsyncIterator[contextlib.AsyncExitStack]:
    async with contextlib.AsyncExitStack() as stack:
        yield stack


async def test_postgresql(ports: list[int], stack: contextlib.AsyncExitStack, tmp_path: Path) -> None:
    def start():  # type: ignore[no-untyped-def]
        return stack.enter_async_context(run_postgres(tmp_path, durable=False, port=ports.pop(0)))

    assert await on_free_ports(start)
    assert ports == []


@pytest.mark.parametrize("taken_port", ["port", "mqtt_port"])
async def test_nats(ports: list[int], stack: contextlib.AsyncExitStack, tmp_path: Path, taken_port: str) -> None:
    def start():  # type: ignore[no-untyped-def]
        settings = {"port": free_port(), "mqtt_port": free_port(), taken_port: ports.pop(0)}
        text = broker_config(tmp_path / "store", username="u", password="p", **settings)
        return stack.enter_async_context(run_nats(tmp_path, text))

    await on_free_ports(start)
    assert ports == []


async def test_the_ledger(ports: list[int], stack: contextlib.AsyncExitStack, tmp_path: Path) -> None:
    write_genesis(tmp_path, genesis_for(Bootstrap.load_or_create(tmp_path / "keys")))
    supervisor = Supervisor(tmp_path, print, GracePeriod(5))
    stack.push_async_callback(supervisor.close)

    def start():  # type: ignore[no-untyped-def]
        flags = ("ledger", "--state", tmp_path, "--port", str(ports.pop(0)))
        return supervisor.start(Part("ledger", (HUB, *flags), announces=True))

    await on_free_ports(start)
    assert ports == []
