"""`make check`: every linter and type checker of the repository, in order; prints what failed and what was skipped.

A tool that a newcomer may lack (Rust, Node from the wheel is brought along) skips by name; with CI=true a skip fails.
"""

import os
import shutil
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
BIN = Path(sys.executable).parent
WEB = ROOT / "hub" / "web"


@dataclass(frozen=True)
class Check:
    """One command; ``needs`` names a program that a newcomer may not have."""

    name: str
    command: tuple[str, ...]
    folder: Path = ROOT
    needs: str | None = None


def checks() -> list[Check]:
    """All of them, the quick ones first."""
    python, cargo = str(BIN / "python"), "cargo"
    clippy = (cargo, "clippy", "--locked", "--quiet", "--all-targets", "--", "--deny", "warnings")
    return [
        Check("ruff", (str(BIN / "ruff"), "check", "--quiet", ".")),
        Check("ruff format", (str(BIN / "ruff"), "format", "--quiet", "--check", ".")),
        Check("import-linter", (str(BIN / "lint-imports"), "--no-cache")),
        Check("mypy", (str(BIN / "mypy"),)),
        Check("reference", (python, "-m", "docs.reference.generate", "--check")),
        Check("ansible-lint", (str(BIN / "ansible-lint"), "--offline", "-q", "ansible")),
        Check("biome, tsc, vitest", (python, "hub/web/build.py", "check")),
        Check("cargo fmt", (cargo, "fmt", "--all", "--check"), ROOT / "programs", needs=cargo),
        Check("cargo clippy", clippy, ROOT / "programs", needs=cargo),
        Check("cargo test", (cargo, "test", "--locked", "--quiet", "--lib"), ROOT / "programs", needs=cargo),
    ]


def run(check: Check) -> bool:
    """Runs one check and prints a line about it; what it said only when it failed."""
    if check.needs and shutil.which(check.needs) is None:
        print(f"  skipped  {check.name}: {check.needs} is not installed")
        return os.environ.get("CI") != "true"
    begun = time.monotonic()
    done = subprocess.run(
        check.command, cwd=check.folder, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False
    )
    print(
        f"  {'ok' if done.returncode == 0 else 'FAILED':8} {check.name} ({time.monotonic() - begun:.0f} s)", flush=True
    )
    if done.returncode != 0:
        print(done.stdout)
    return done.returncode == 0


def main() -> int:
    print("check:")
    results = [run(check) for check in checks()]
    return 0 if all(results) else 1


if __name__ == "__main__":
    sys.exit(main())
