"""Fixtures of the tests of ingest: a gateway that seals frames, and the whole of ingest on real servers."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from hub.postgres.db import Pool
from hub.settings import Settings
from support.rows.gateways import SealingGateway
from support.servers.ingest import Ingest
from support.servers.nats import HubNats


@pytest.fixture
async def north(pool: Pool) -> SealingGateway:
    """A registered gateway that seals frames."""
    gateway = SealingGateway("gw-north")
    await gateway.register(pool)
    return gateway


@pytest.fixture
async def ingest(pool: Pool, nats_server: HubNats, state_dir: Path) -> AsyncIterator[Ingest]:
    """Ingest on a NATS server and a database of its own; the test starts its copies."""
    settings = Settings.model_construct(
        state_dir=state_dir,
        nats_url=nats_server.url,
        nats_ca_file=nats_server.ca_file,
        nats_creds_file=nats_server.identity.creds_file,
    )
    running = Ingest(settings, pool, nats_server)
    yield running
    await running.close()
