"""`make check`: every linter and type checker of the repository; prints what failed and what was skipped.

`python .ci/check.py [ROOM]` runs what one room needs: edge, hub, programs, web or sim. A tool that a newcomer may lack
(Rust) skips by name; with CI=true a skip fails. As many checks run side by side as there are processors.
"""

import os
import shutil
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
BIN = Path(sys.executable).parent
PYTHON, CARGO = str(BIN / "python"), "cargo"
RUFF, MYPY = str(BIN / "ruff"), str(BIN / "mypy")
PYTHON_ROOMS = {
    "edge": ("edge", "tests/edge", "tests/support"),
    "hub": ("hub", "tests/hub", "tests/support"),
    "sim": ("firmware-sim", "tests/sim", "tests/support"),
}
"""Where the Python of each room and its tests lie."""


@dataclass(frozen=True)
class Check:
    """One command; ``needs`` names a program that a newcomer may not have."""

    name: str
    command: tuple[str, ...]
    folder: Path = ROOT
    needs: str | None = None


def python_checks(paths: tuple[str, ...], documented: tuple[str, ...], typed: tuple[str, ...]) -> list[Check]:
    """The checks of Python: style and form of ``paths``, docstrings, types, and the contracts between all rooms.

    No ``documented`` or ``typed`` paths means all there are.
    """
    return [
        Check("mypy", (MYPY, *typed)),
        Check("ruff", (RUFF, "check", "--quiet", *paths)),
        Check("ruff format", (RUFF, "format", "--quiet", "--check", *paths)),
        Check("import-linter", (str(BIN / "lint-imports"), "--no-cache")),
        Check("docstrings", (PYTHON, ".ci/docstrings.py", *documented)),
    ]


def reference_check() -> Check:
    """The check that generated documents are those of this code."""
    return Check("docs/reference", (PYTHON, "-m", "docs.reference.generate", "--check"))


def rust_checks() -> list[Check]:
    """The checks of the five programs."""
    clippy = (CARGO, "clippy", "--locked", "--quiet", "--all-targets", "--", "--deny", "warnings")
    programs = ROOT / "programs"
    return [
        Check("cargo fmt", (CARGO, "fmt", "--all", "--check"), programs, needs=CARGO),
        Check("cargo clippy", clippy, programs, needs=CARGO),
        Check("cargo test", (CARGO, "test", "--locked", "--quiet", "--lib"), programs, needs=CARGO),
    ]


def web_checks() -> list[Check]:
    """The checks of the web app."""
    return [Check("biome, tsc, vitest", (PYTHON, "hub/web/build.py", "check"))]


def checks(room: str | None) -> list[Check]:
    """Returns what a room needs, or everything, the slow ones first.

    Raises:
        SystemExit: there is no such room.
    """
    if room is None:
        return [
            *web_checks(),
            *rust_checks(),
            *python_checks((".",), (), ()),
            reference_check(),
            Check("ansible-lint", (str(BIN / "ansible-lint"), "--offline", "-q", "ansible")),
        ]
    if room in PYTHON_ROOMS:
        source, *_ = paths = PYTHON_ROOMS[room]
        generated = [reference_check()] if room == "hub" else []
        return [*python_checks(paths, (source,), (source,)), *generated]
    if room == "programs":
        return [
            *rust_checks(),
            *python_checks(("programs", "tests/programs"), ("programs/toolchain",), ("programs/toolchain",)),
        ]
    if room == "web":
        return web_checks()
    raise SystemExit(f"There is no room {room}: choose one of {', '.join([*PYTHON_ROOMS, 'programs', 'web'])}")


def run(check: Check) -> bool:
    """Runs one check and prints a line about it; its output only when it failed."""
    if check.needs and shutil.which(check.needs) is None:
        print(f"  skipped  {check.name}: {check.needs} is not installed", flush=True)
        return os.environ.get("CI") != "true"
    begun = time.monotonic()
    done = subprocess.run(
        check.command, cwd=check.folder, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False
    )
    verdict = "ok" if done.returncode == 0 else "FAILED"
    said = f"\n{done.stdout}" if done.returncode else ""
    print(f"  {verdict:8} {check.name} ({time.monotonic() - begun:.0f} s){said}", flush=True)
    return done.returncode == 0


def main() -> int:
    begun = time.monotonic()
    print("check:", flush=True)
    with ThreadPoolExecutor(max_workers=os.cpu_count() or 1) as pool:
        passed = all(list(pool.map(run, checks(sys.argv[1] if len(sys.argv) > 1 else None))))
    print(f"check took {time.monotonic() - begun:.0f} s", flush=True)
    return 0 if passed else 1


if __name__ == "__main__":
    sys.exit(main())
