"""Runs the conformance and settlement tests on a running node, in a pytest process, and counts its report."""

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
class SuiteResult:
    """The result of one suite."""

    passed: int
    failed: tuple[str, ...]
    """Names of the tests that failed, were skipped or could not begin."""
    seconds: float


def run_suite(name: str, url: str, keys: Path, folder: Path) -> SuiteResult:
    """Runs the tests of a suite that take the node from the environment, on this node only."""
    report = folder / f"{name}.xml"
    files = [str(path) for pattern in SUITES[name] for path in sorted(ROOT.glob(pattern))]
    command = [sys.executable, "-m", "pytest", "-q", "-k", url, f"--timeout={TEST_LIMIT_S}", f"--junit-xml={report}"]
    started = time.monotonic()
    process = subprocess.run(
        [*command, *files], cwd=ROOT, stdout=sys.stderr, check=False, env={**os.environ, RPC_URL: url, KEYS: str(keys)}
    )
    seconds = time.monotonic() - started
    if not report.exists():
        return SuiteResult(0, (f"pytest ended with {process.returncode} before it reported",), seconds)
    return read_report(report.read_text(), seconds)


def read_report(text: str, seconds: float) -> SuiteResult:
    """Counts the tests of a JUnit report; a skipped test counts as failed."""
    cases = list(ET.fromstring(text).iter("testcase"))  # noqa: S314 - our own pytest wrote it
    failed = tuple(f"{case.get('classname')}.{case.get('name')}" for case in cases if len(case))
    if not cases:
        failed = ("no test was selected",)
    return SuiteResult(len(cases) - len(failed) if cases else 0, failed, seconds)
