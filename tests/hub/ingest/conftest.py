"""The whole of ingest on real servers, one for each test."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from hub.postgres.db import Pool
from hub.settings import Settings
from support.servers.ingest import Ingest
from support.servers.nats import HubNats


@pytest.fixture
async def ingest(pool: Pool, nats_server: HubNats, state_dir: Path) -> AsyncIterator[Ingest]:
    """Servers and settings; the test starts as many copies as it wants."""
    settings = Settings.model_construct(
        state_dir=state_dir,
        nats_url=nats_server.url,
        nats_ca_file=nats_server.ca_file,
        nats_creds_file=nats_server.identity.creds_file,
    )
    running = Ingest(settings, pool, nats_server)
    yield running
    await running.close()
