"""The PostgreSQL server of the tests: started by a test run, or shared by several that follow each other."""

import contextlib
import os
from collections.abc import Iterator
from pathlib import Path

from hub.embedded.postgres import create_database, run_postgres
from hub.postgres import db
from support.servers.background import Background

TEMPLATE = "template_peerwatt"
"""The migrated database that fresh ones are copied from."""
SHARED = "PEERWATT_TEST_POSTGRES"
"""The variable with the URL of a server that several test runs share; mutation testing sets it."""


@contextlib.contextmanager
def running_server(background: Background, folder: Path) -> Iterator[str]:
    """The URL of the shared server, or of one with its data in ``folder`` that lives while the block lasts."""
    if url := os.environ.get(SHARED):
        yield url
        return
    with background.entered(run_postgres(folder, durable=False)) as url:
        background.run(_migrate(url))
        yield url


@contextlib.contextmanager
def shared_server(folder: Path) -> Iterator[None]:
    """Runs a server for all processes that are started while the block lasts."""
    with Background() as background, running_server(background, folder) as url:
        os.environ[SHARED] = url
        try:
            yield
        finally:
            del os.environ[SHARED]


async def _migrate(url: str) -> None:
    await db.migrate(await create_database(url, TEMPLATE))
