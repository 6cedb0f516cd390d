"""What the simulator's tests share: one cache of built series, and a short replay file."""

import os
from pathlib import Path

import pytest


@pytest.fixture(autouse=True)
def no_settings_from_outside(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in os.environ:
        if name.startswith("PEERWATT_SIM_"):
            monkeypatch.delenv(name)


@pytest.fixture(scope="session")
def cache_dir(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("series")


@pytest.fixture
def small_site(tmp_path: Path) -> Path:
    """Two Modbus meters; no PV and load series are needed with the replay file."""
    path = tmp_path / "sim.toml"
    path.write_text("""
[[meter]]
id = "A"
profile = "sdm630"
transport = "tcp"
[[meter]]
id = "B"
profile = "iem3155"
transport = "tcp"
""")
    return path


@pytest.fixture
def small_replay(tmp_path: Path) -> Path:
    path = tmp_path / "replay.csv"
    path.write_text("time,A,B\n2026-06-17T10:00:00Z,3600,-7200\n2026-06-17T10:00:05Z,-36000,1800\n")
    return path
