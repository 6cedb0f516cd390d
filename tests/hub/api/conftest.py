"""The application on the seeded campus."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from hub.db import Pool
from support.api import Api, running_api
from support.seed import INTERVAL_S, NOW_S, Campus, seed_campus

NO_CHAIN = "http://127.0.0.1:1"


@pytest.fixture
async def campus(pool: Pool) -> Campus:
    async with pool.acquire() as connection:
        return await seed_campus(connection)


@pytest.fixture
async def api(pool: Pool, state_dir: Path, campus: Campus) -> AsyncIterator[Api]:
    async with running_api(pool, state_dir, NOW_S * 1000, interval_s=INTERVAL_S, rpc_url=NO_CHAIN) as api:
        yield api
