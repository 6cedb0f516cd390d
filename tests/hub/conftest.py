"""Fixtures of the hub's tests: a NATS server of their own, with the hub's rights."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from support.nats import HubNats, run_hub_nats


@pytest.fixture
async def nats_server(tmp_path: Path) -> AsyncIterator[HubNats]:
    """A fresh server in operator mode with TLS, JetStream and the stream of frames."""
    async with run_hub_nats(tmp_path / "nats-server") as server:
        yield server
