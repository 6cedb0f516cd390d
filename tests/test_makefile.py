"""`make` on a machine whose Python will not do: one sentence, and nothing is made."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]


def make(folder: Path, *words: str) -> subprocess.CompletedProcess[str]:
    """Runs our Makefile in a folder of its own, where nothing is installed."""
    shutil.copy(ROOT / "Makefile", folder)
    return subprocess.run(
        ["make", *words], cwd=folder, capture_output=True, text=True, check=False, timeout=60,
        env={"PATH": "/usr/local/bin:/usr/bin:/bin"},
    )  # fmt: skip


def pretending(folder: Path, major: int, minor: int) -> Path:
    """An interpreter that takes itself for another version: it runs the Makefile's own question."""
    program = folder / f"python{major}.{minor}"
    pretence = f"import sys; sys.version_info = ({major}, {minor}, 0, 'final', 0); exec(sys.argv.pop(1))"
    program.write_text(f'#!/bin/sh\n[ "$1" = -c ] || exit 9\nshift\nexec {sys.executable} -c "{pretence}" "$@"\n')
    program.chmod(0o755)
    return program


@pytest.mark.parametrize("target", ["demo", "test"])
@pytest.mark.parametrize("version", [(3, 10), (2, 7)])
def test_a_python_that_is_too_old(tmp_path: Path, target: str, version: tuple[int, int]) -> None:
    old = pretending(tmp_path, *version)
    done = make(tmp_path, f"PYTHON={old}", target)
    assert done.returncode == 2
    assert "Peerwatt needs Python 3.11 or newer" in done.stderr
    assert f"is {version[0]}.{version[1]}. Name another with: make PYTHON=python3.12 demo" in done.stderr
    assert "Traceback" not in done.stderr
    assert not (tmp_path / ".venv").exists()


def test_the_question_suits_every_python() -> None:
    """It is asked of pythons that know no f-strings."""
    (line,) = [line for line in (ROOT / "Makefile").read_text().splitlines() if "sys.version_info" in line]
    assert 'f"' not in line


def test_no_python_at_all(tmp_path: Path) -> None:
    done = make(tmp_path, "PYTHON=python3.99", "demo")
    assert done.returncode == 2
    assert "there is no python3.99. Name another with: make PYTHON=python3.12 demo" in done.stderr
    assert not (tmp_path / ".venv").exists()


def test_a_python_that_will_do_goes_on_to_the_venv(tmp_path: Path) -> None:
    """The pretended 3.12 refuses everything but the question: that `make` asks it for a venv shows that it passed."""
    done = make(tmp_path, f"PYTHON={pretending(tmp_path, 3, 12)}", "demo")
    assert "-m venv .venv" in done.stdout and "Error 9" in done.stderr
    assert "needs Python" not in done.stderr
