"""Two demos side by side, which the acceptance tests share: they start together, with the first test that asks."""

from collections.abc import Iterator

import pytest

from support.stories import Battered, Settled

STORIES = {"settled": Settled, "battered": Battered}


@pytest.fixture(scope="session")
def stories(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[dict[str, Settled | Battered]]:
    """Those that any selected test will ask for."""
    wanted = {name for item in request.session.items for name in getattr(item, "fixturenames", ())}
    folder = tmp_path_factory.mktemp("demo")
    started = {name: story(folder) for name, story in STORIES.items() if name in wanted}
    for story in started.values():
        story.start()
    yield started
    for story in started.values():
        story.end()


@pytest.fixture(scope="session")
def settled(stories: dict[str, Settled | Battered]) -> Settled:
    """The demo that ends by itself, twice; `told` waits for it."""
    story = stories["settled"]
    assert isinstance(story, Settled)
    return story


@pytest.fixture(scope="session")
def battered(stories: dict[str, Settled | Battered]) -> Battered:
    """The demo with the kills; it still runs, and every kill's interval is reconciled."""
    story = stories["battered"]
    assert isinstance(story, Battered)
    story.told()
    return story
