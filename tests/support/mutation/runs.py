"""Runs the tests of a room in copies of the tree: once as it is, to learn which test runs which line, then changed."""

import json
import os
import shutil
import subprocess
import sys
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

import coverage

from support.mutation.coverage_contexts import FOLDER, write_config
from support.mutation.mutants import Mutant
from support.mutation.rooms import Room

ROOT = Path(__file__).resolve().parents[3]
NOT_COPIED = shutil.ignore_patterns(
    ".git", ".venv", ".state", ".mutation", "node_modules", "target", "__pycache__", ".*_cache", ".hypothesis"
)
PATIENCE = 4
"""A changed run may take so many times as long as the unchanged one, and a minute, before it counts as hanging."""


def fingerprint(room: Room, root: Path = ROOT) -> str:
    """Returns a hash of everything that a room's result depends on: the code of all rooms, its tests, their helpers."""
    digest = sha256()
    for folder in ("edge", "hub", "firmware-sim", "tests/support", "tests/conftest.py", "pyproject.toml", *room.tests):
        place = root / folder
        for file in [place] if place.is_file() else sorted(place.rglob("*.py")):
            if "node_modules" not in file.parts:
                digest.update(f"{file.relative_to(root)}\0".encode() + file.read_bytes())
    return digest.hexdigest()[:16]


class Tree:
    """A copy of the repository in which files may be changed."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        shutil.copytree(ROOT, folder, ignore=NOT_COPIED, symlinks=True)

    def pytest(self, *arguments: str, seconds: float, **env: str) -> tuple[int | None, str]:
        """Runs pytest; returns its exit code, or None when it took longer than ``seconds``, and its output."""
        path = os.pathsep.join(str(self.folder / part) for part in ("", "firmware-sim", "tests"))
        command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", *arguments]
        process = subprocess.Popen(
            command, cwd=self.folder, env={**os.environ, "PYTHONPATH": path, "PYTHONDONTWRITEBYTECODE": "1", **env},
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, start_new_session=True,
        )  # fmt: skip
        try:
            out, _ = process.communicate(timeout=seconds)
        except subprocess.TimeoutExpired:
            return None, ""
        finally:
            # A test that was stopped leaves servers
            subprocess.run(["pkill", "-KILL", "-s", str(process.pid)], check=False)
            process.wait()
        return process.returncode, out


@dataclass(frozen=True)
class TestMap:
    """Which tests run a line, and how many seconds each test takes."""

    by_line: dict[str, dict[int, list[str]]]
    seconds: dict[str, float]
    at_import: dict[str, set[int]]
    """Lines that run when a file is imported, before any test: every test may depend on them."""

    def tests(self, mutant: Mutant) -> list[str]:
        """Returns the tests that run a line of the statement, the quickest first; all, where none or an import does."""
        lines, whole = self.by_line.get(mutant.path, {}), range(mutant.first_line, mutant.last_line + 1)
        found = {test for line in whole for test in lines.get(line, ())}
        if not self.at_import.get(mutant.path, set()).isdisjoint(whole):
            found = set()
        return sorted(found or self.seconds, key=lambda test: self.seconds.get(test, 0))


def map_tests(room: Room, tree: Tree, folder: Path, processes: int) -> TestMap:
    """Runs the room's tests under coverage and returns what they run; leaves the bytecode of unchanged files.

    Raises: SystemExit, when a test fails before anything was changed.
    """
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    write_config(folder, tree.folder)
    code, out = tree.pytest(
        *room.tests, "-p", "support.mutation.coverage_contexts", "--numprocesses", str(processes), "--dist", "loadfile",
        seconds=3600, **{FOLDER: str(folder), "PYTHONDONTWRITEBYTECODE": ""},
    )  # fmt: skip
    if code != 0:
        raise SystemExit(f"The room's tests must pass before anything is changed:\n{out[-4000:]}")
    measured = coverage.Coverage(config_file=str(folder / "coveragerc"))
    measured.combine()
    data = measured.get_data()
    seconds: dict[str, float] = {}
    for file in folder.glob("seconds-*.json"):
        seconds |= json.loads(file.read_text())
    by_line: dict[str, dict[int, list[str]]] = defaultdict(dict)
    at_import: dict[str, set[int]] = defaultdict(set)
    for name in data.measured_files():
        for line, contexts in data.contexts_by_lineno(name).items():
            path = str(Path(name).relative_to(tree.folder))
            by_line[path][line] = [c for c in contexts if c in seconds]
            if "" in contexts:
                at_import[path].add(line)
    return TestMap(dict(by_line), seconds, dict(at_import))


@dataclass(frozen=True)
class Verdict:
    """``by`` is the test that failed, or how else the change was noticed; empty when it was not."""

    by: str
    tests_run: int


def judge(mutant: Mutant, tree: Tree, tests: TestMap, first: Sequence[str] = ()) -> Verdict:
    """Changes the file in ``tree``, runs the tests that can notice, ``first`` first, and changes the file back."""
    place = tree.folder / mutant.path
    before = place.read_text()
    chosen = list(dict.fromkeys([*(t for t in first if t in tests.seconds), *tests.tests(mutant)]))
    listed = tree.folder / ".chosen-tests"
    listed.write_text("\n".join(chosen) + "\n")
    patience = PATIENCE * sum(tests.seconds[test] for test in chosen) + 60
    place.write_text(mutant.source)
    try:
        code, out = tree.pytest(f"@{listed.name}", "-x", "--tb=no", "-n0", "--timeout=120", seconds=patience)
    finally:
        place.write_text(before)
    if code == 0:
        return Verdict("", len(chosen))
    if code is None:
        return Verdict("it hangs", len(chosen))
    failed = next(_failed(out), "it does not start" if code != 1 else "a test")
    if code not in (1, 2, 3, 4):
        raise RuntimeError(f"pytest ended with {code}: {out[-2000:]}")
    return Verdict(failed, len(chosen))


def _failed(out: str) -> Iterator[str]:
    for line in out.splitlines():
        if line.startswith(("FAILED ", "ERROR ")):
            yield line.split(" ", 1)[1].split(" - ", 1)[0]
