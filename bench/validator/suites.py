"""The conformance and the settlement tests on a running node: pytest in its own process, counted from its report."""

import os
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from xml.etree import ElementTree as ET

from bench.common import ROOT
from support.servers.nodes import KEYS, RPC_URL

SUITES = {
    "conformance": ("tests/hub/chain/test_conformance*.py",),
    "settlement": ("tests/hub/chain/test_settling.py", "tests/hub/settlement/test_submitter.py"),
}
TEST_LIMIT_S = 600


@dataclass(frozen=True)
class Outcome:
    """How one suite went."""

    passed: int
    failed: tuple[str, ...]
    """Names of the tests that failed, or could not begin."""
    seconds: float


def run_suite(name: str, url: str, keys: Path, folder: Path) -> Outcome:
    """Runs those tests of a suite that take the node from the environment, on this node alone."""
    report = folder / f"{name}.xml"
    files = [str(path) for pattern in SUITES[name] for path in sorted(ROOT.glob(pattern))]
    command = [sys.executable, "-m", "pytest", "-q", "-k", url, f"--timeout={TEST_LIMIT_S}", f"--junit-xml={report}"]
    begun = time.monotonic()
    done = subprocess.run(
        [*command, *files], cwd=ROOT, stdout=sys.stderr, check=False, env={**os.environ, RPC_URL: url, KEYS: str(keys)}
    )
    seconds = time.monotonic() - begun
    if not report.exists():
        return Outcome(0, (f"pytest ended with {done.returncode} before it reported",), seconds)
    return read_report(report.read_text(), seconds)


def read_report(text: str, seconds: float) -> Outcome:
    """Counts the tests of a JUnit report; one that was skipped did not pass."""
    cases = list(ET.fromstring(text).iter("testcase"))  # noqa: S314 - our own pytest wrote it
    failed = tuple(f"{case.get('classname')}.{case.get('name')}" for case in cases if len(case))
    if not cases:
        failed = ("no test was selected",)
    return Outcome(len(cases) - len(failed) if cases else 0, failed, seconds)
