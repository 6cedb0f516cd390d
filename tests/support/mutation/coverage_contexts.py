"""A pytest plugin: which test runs which line, in this process and in those that it starts.

It writes data files of coverage.py, with the test's id as context, and the seconds of every test, into the folder that
``PEERWATT_COVERAGE`` names. A process that a test starts reads the same variables at its start (coverage's `patch`);
one that is forked is told its test by ``support.commands``.
"""

import json
import os
from collections.abc import Iterator
from pathlib import Path

import coverage
import pytest

FOLDER = "PEERWATT_COVERAGE"
CONTEXT = "PEERWATT_COVERAGE_CONTEXT"
CONFIG = """
[run]
branch = false
parallel = true
data_file = {folder}/data
source =
    {root}/edge
    {root}/hub
context = ${{{context}}}
patch = subprocess, fork, _exit
sigterm = true
disable_warnings = no-data-collected, module-not-imported, module-not-measured, trace-changed
"""


def write_config(folder: Path, root: Path) -> None:
    """Writes coverage's configuration for the code below ``root`` into ``folder``."""
    (folder / "coveragerc").write_text(CONFIG.format(folder=folder, root=root, context=CONTEXT))


class Contexts:
    """Tells coverage which test runs, and keeps how long each took."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._seconds: dict[str, float] = {}
        os.environ[CONTEXT] = ""
        self._coverage = coverage.Coverage(config_file=str(folder / "coveragerc"))
        self._coverage.start()

    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_runtest_protocol(self, item: pytest.Item) -> Iterator[None]:
        os.environ[CONTEXT] = item.nodeid
        self._coverage.switch_context(item.nodeid)
        result = yield
        self._coverage.switch_context("")
        os.environ[CONTEXT] = ""
        return result

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        self._seconds[report.nodeid] = self._seconds.get(report.nodeid, 0) + report.duration

    def pytest_sessionfinish(self) -> None:
        """Here and not later: a process of xdist may be ended as soon as the session is over."""
        self._coverage.stop()
        self._coverage.save()
        (self._folder / f"seconds-{os.getpid()}.json").write_text(json.dumps(self._seconds))


def pytest_configure(config: pytest.Config) -> None:
    """Starts in each process that runs tests."""
    if (folder := os.environ.get(FOLDER)) and not getattr(config.option, "numprocesses", None):
        config.pluginmanager.register(Contexts(Path(folder)))
