"""Fixtures of all tests: real servers, started once, and a fresh database for each test."""

import logging
import os
import secrets
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import asyncpg
import pytest
from hypothesis import HealthCheck, settings
from xdist.remote import Producer
from xdist.scheduler import LoadFileScheduling

from hub.embedded.postgres import create_database
from hub.postgres import db
from support.servers import postgres
from support.servers.background import Background

ACCEPTANCE = "tests/acceptance/"
# How long an example takes says how busy the machine is
settings.register_profile("peerwatt", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("peerwatt")


@pytest.fixture(scope="session")
def background() -> Iterator[Background]:
    """An event loop in a thread, for servers that outlive one test's loop."""
    with Background() as loop:
        yield loop


@pytest.fixture(scope="session")
def pg_server(background: Background, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The URL of a PostgreSQL server that lives at least as long as the test run."""
    with postgres.running_server(background, tmp_path_factory.mktemp("pg")) as url:
        yield url


@pytest.fixture
async def db_url(pg_server: str) -> AsyncIterator[str]:
    """The URL of a fresh, migrated database."""
    name = f"test_{secrets.token_hex(6)}"
    yield await create_database(pg_server, name, template=postgres.TEMPLATE)
    connection = await asyncpg.connect(pg_server)
    await connection.execute(f'DROP DATABASE "{name}" WITH (FORCE)')
    await connection.close()


@pytest.fixture
async def pool(db_url: str) -> AsyncIterator[db.Pool]:
    """A pool on a fresh, migrated database."""
    pool = await db.create_pool(db_url)
    yield pool
    await pool.close()


@pytest.fixture(autouse=True)
def _restored_logging() -> Iterator[None]:
    """Restores the root logger, which a command that runs in this process sets up for itself."""
    root = logging.getLogger()
    level, handlers = root.level, root.handlers[:]
    yield
    root.setLevel(level)
    root.handlers[:] = handlers


class AsyncioErrors(logging.Handler):
    """Collects what asyncio can tell nobody else: an exception in a callback, or in a task that nobody asked."""

    def __init__(self) -> None:
        super().__init__(logging.ERROR)
        self.messages: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.messages.append(self.format(record))


@pytest.fixture(autouse=True)
def _no_errors_of_asyncio() -> Iterator[None]:
    """Fails the test that leaves an error which only asyncio's log would show."""
    handler, logger = AsyncioErrors(), logging.getLogger("asyncio")
    logger.addHandler(handler)
    yield
    logger.removeHandler(handler)
    assert not handler.messages, "\n".join(handler.messages)


@pytest.fixture
def state_dir(tmp_path: Path) -> Path:
    """A private state folder."""
    folder = tmp_path / "state"
    folder.mkdir(mode=0o700)
    return folder


class FileByFile(LoadFileScheduling):  # type: ignore[misc]  # xdist ships no types
    """Gives each file to one process, and all acceptance tests, which share two demos, to one."""

    def _split_scope(self, nodeid: str) -> str:
        return ACCEPTANCE if nodeid.startswith(ACCEPTANCE) else str(super()._split_scope(nodeid))


def pytest_xdist_make_scheduler(config: pytest.Config, log: Producer) -> FileByFile:
    """Distributes the tests among processes."""
    return FileByFile(config, log)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Puts the acceptance tests first, because they wait longest."""
    items.sort(key=lambda item: not item.nodeid.startswith(ACCEPTANCE))


def pytest_xdist_auto_num_workers() -> int:
    """Returns two processes for each processor: tests mostly wait for servers, polls and intervals."""
    return 2 * (os.cpu_count() or 1)


def pytest_sessionfinish(session: pytest.Session, exitstatus: int) -> None:
    """Makes a skipped test a failure with CI=true: CI installs everything."""
    reporter = session.config.pluginmanager.get_plugin("terminalreporter")
    if os.environ.get("CI") == "true" and reporter and reporter.stats.get("skipped") and exitstatus == 0:
        session.exitstatus = pytest.ExitCode.TESTS_FAILED
