"""Two demos, started with the test run and side by side: their minutes pass while the other tests run."""

import contextlib
from collections.abc import Iterator

import psutil
import pytest

from support.stories import Battered, Settled

STARTED: dict[str, Settled | Battered] = {}


def pytest_collection_finish(session: pytest.Session) -> None:
    """Starts the stories that selected tests will ask for, before the first test runs."""
    wanted = {name for item in session.items for name in getattr(item, "fixturenames", ())}
    if session.config.option.collectonly or not wanted & {"settled", "battered"}:
        return
    factory = session.config._tmp_path_factory  # type: ignore[attr-defined]
    folder = factory.mktemp("demo")
    for name, story in (("settled", Settled), ("battered", Battered)):
        if name in wanted:
            STARTED[name] = story(folder)
            STARTED[name].start()


@pytest.fixture(scope="session")
def settled() -> Iterator[Settled]:
    story = STARTED["settled"]
    assert isinstance(story, Settled)
    yield story
    story.end()


@pytest.fixture(scope="session")
def battered() -> Iterator[Battered]:
    """The demo with the kills; it still runs, and every kill's interval is reconciled."""
    story = STARTED["battered"]
    assert isinstance(story, Battered)
    try:
        story.told()
        yield story
    finally:
        story.end()


@pytest.fixture(scope="session", autouse=True)
def _nothing_is_left() -> Iterator[None]:
    yield
    for story in STARTED.values():
        with contextlib.suppress(psutil.Error):
            story.end()
