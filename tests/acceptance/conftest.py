"""Three demos that run side by side for all acceptance tests; all start with the first test that needs one."""

from collections.abc import Iterator

import pytest

from support.servers.demo_runs import CrashDemo, DemoRun, SettledDemo
from support.servers.energy_cases import EnergyCasesDemo

RUNS: dict[str, type[DemoRun]] = {
    "settled_demo": SettledDemo, "crash_demo": CrashDemo, "energy_cases": EnergyCasesDemo,
}  # fmt: skip


@pytest.fixture(scope="session")
def demo_runs(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, DemoRun]]:
    """Starts the demos that the selected tests need, each under the name of its fixture."""
    wanted = {name for item in request.session.items for name in getattr(item, "fixturenames", ())}
    folder = tmp_path_factory.mktemp("demo")
    started = {name: run(folder) for name, run in RUNS.items() if name in wanted}
    for run in started.values():
        run.start()
    yield started
    for run in started.values():
        run.end()


@pytest.fixture(scope="session")
def settled_demo(demo_runs: dict[str, DemoRun]) -> SettledDemo:
    """The demo that runs and ends by itself, twice; `wait` waits for it."""
    run = demo_runs["settled_demo"]
    assert isinstance(run, SettledDemo)
    return run


@pytest.fixture(scope="session")
def crash_demo(demo_runs: dict[str, DemoRun]) -> CrashDemo:
    """The demo with the crashes; it still runs, and the interval of every crash is reconciled."""
    run = demo_runs["crash_demo"]
    assert isinstance(run, CrashDemo)
    run.wait()
    return run


@pytest.fixture(scope="session")
def energy_cases(demo_runs: dict[str, DemoRun]) -> EnergyCasesDemo:
    """The demo of energy cases; it still runs, and every interval with faults is reconciled and corrected."""
    run = demo_runs["energy_cases"]
    assert isinstance(run, EnergyCasesDemo)
    run.wait()
    return run
