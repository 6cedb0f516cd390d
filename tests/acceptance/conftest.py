"""Two demos side by side, which the acceptance tests share: they start together, with the first test that asks."""

from collections.abc import Iterator

import pytest

from support.servers.demo_runs import CrashDemo, SettledDemo

RUNS = {"settled_demo": SettledDemo, "crash_demo": CrashDemo}


@pytest.fixture(scope="session")
def demo_runs(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[dict[str, SettledDemo | CrashDemo]]:
    """Those that any selected test will ask for."""
    wanted = {name for item in request.session.items for name in getattr(item, "fixturenames", ())}
    folder = tmp_path_factory.mktemp("demo")
    started = {name: run(folder) for name, run in RUNS.items() if name in wanted}
    for run in started.values():
        run.start()
    yield started
    for run in started.values():
        run.end()


@pytest.fixture(scope="session")
def settled_demo(demo_runs: dict[str, SettledDemo | CrashDemo]) -> SettledDemo:
    """The demo that ends by itself, twice; `wait` waits for it."""
    run = demo_runs["settled_demo"]
    assert isinstance(run, SettledDemo)
    return run


@pytest.fixture(scope="session")
def crash_demo(demo_runs: dict[str, SettledDemo | CrashDemo]) -> CrashDemo:
    """The demo with the kills; it still runs, and every kill's interval is reconciled."""
    run = demo_runs["crash_demo"]
    assert isinstance(run, CrashDemo)
    run.wait()
    return run
