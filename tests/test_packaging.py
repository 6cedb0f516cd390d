"""A Pi that installs `peerwatt[edge]` gets the agent, and nothing of the hub's server side."""

import json
import subprocess
import sys
import venv
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
WHEELS = Path(sys.prefix) / "wheels"
"""What `make` fetched for this test, so that the test itself needs no network."""

ABSENT = ("fastapi", "asyncpg", "solana", "anchorpy", "solders", "pvlib", "uvicorn")


@pytest.fixture(scope="module")
def gateway(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The bin folder of a machine with `peerwatt[edge]` alone, installed from a wheel."""
    folder = tmp_path_factory.mktemp("gateway")
    pip = [sys.executable, "-m", "pip", "--disable-pip-version-check", "--quiet"]
    subprocess.run(
        [*pip, "wheel", "--no-deps", "--no-build-isolation", "--no-index", "--wheel-dir", str(folder), str(ROOT)],
        check=True,
    )
    (wheel,) = folder.glob("peerwatt-*.whl")
    venv.create(folder / "venv", with_pip=True)
    python = folder / "venv" / "bin" / "python"
    subprocess.run(
        [python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-index",
         "--find-links", str(WHEELS), f"peerwatt[edge] @ {wheel.as_uri()}"],
        check=True,
    )  # fmt: skip
    return python.parent


def test_the_agent_runs(gateway: Path) -> None:
    done = subprocess.run([gateway / "peerwatt-edge", "version"], capture_output=True, text=True, check=True)
    assert "0.1.0" in done.stdout


def test_nothing_of_the_hub_is_installed(gateway: Path) -> None:
    done = subprocess.run(
        [gateway / "python", "-m", "pip", "list", "--format", "json", "--disable-pip-version-check"],
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    installed = {package["name"].lower() for package in json.loads(done.stdout)}
    assert "pynacl" in installed
    assert installed.isdisjoint(ABSENT)
