"""Ctrl-C and kill -9 during and after the start: no process is left, and the next start continues."""

import signal
import time
from pathlib import Path

import psutil
import pytest

from support.servers.demo import DemoProcess
from support.waiting import PATIENCE_S

BROKEN_OFF = "stopped before everything was up; the next start goes on from here"
STOPPED = "stopped; the next start goes on from here"
PROMISED_STOP_S = 10


def left_of(folder: Path) -> list[str]:
    """Processes that name this state folder."""
    lines = [" ".join(process.info["cmdline"] or []) for process in psutil.process_iter(["cmdline"])]
    return [line for line in lines if str(folder) in line]


def gone(folder: Path) -> bool:
    deadline_s = time.monotonic() + PATIENCE_S
    while left_of(folder) and time.monotonic() < deadline_s:
        time.sleep(0.1)
    return not left_of(folder)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One state folder for all tests: each start continues from the one before."""
    return tmp_path_factory.mktemp("stops") / "state"


STEPS = [("PostgreSQL", 1), ("people", 1), ("API", 2)]
"""The first server, the middle, and the last part but the gateways."""


@pytest.mark.parametrize(("step", "times"), STEPS)
def test_ctrl_c_while_it_starts(folder: Path, step: str, times: int) -> None:
    """A second Ctrl-C does not interrupt the stop."""
    demo = DemoProcess(folder, ("--interval", "30")).start()
    demo.until(lambda: True if step in demo.stderr else None, PATIENCE_S, step)
    for _ in range(times):
        demo.process.send_signal(signal.SIGINT)
        time.sleep(0.05)
    assert demo.wait(PATIENCE_S) == 130, demo.stderr
    assert demo.stderr_lines[-1] == BROKEN_OFF
    assert "Traceback" not in demo.stderr
    assert not left_of(folder)


def test_kill_9_of_everything_that_holds_the_parts_together(folder: Path) -> None:
    first = DemoProcess(folder, ("--interval", "30")).start().until_running()
    first.process.kill()
    first.wait(PATIENCE_S)
    # at once, while parts of the first may still run
    second = DemoProcess(folder, ("--interval", "30")).start().until_running()
    assert second.password == first.password
    second.process.send_signal(signal.SIGHUP)  # the terminal is closed
    assert second.wait(PATIENCE_S) == 0, second.stderr
    assert not left_of(folder)
    third = DemoProcess(folder, ("--interval", "30")).start()
    third.until(lambda: True if "three gateways" in third.stderr else None, PATIENCE_S, "the gateways")
    third.process.kill()
    third.wait(PATIENCE_S)
    assert gone(folder), left_of(folder)


def test_ctrl_c_takes_ten_seconds_at_most_when_every_part_hangs(folder: Path) -> None:
    """Every part and every server. The ten seconds are the product's promise."""
    demo = DemoProcess(folder, ("--interval", "30")).start().until_running()
    hung = psutil.Process(demo.process.pid).children()
    assert len(hung) >= 10
    for process in hung:
        process.suspend()
    assert demo.stop() < PROMISED_STOP_S, demo.stderr
    assert demo.process.returncode == 0, demo.stderr
    assert demo.stderr_lines[-1] == STOPPED
    assert not any(process.is_running() for process in hung)
    assert not left_of(folder)


def test_a_part_that_does_not_start_stops_the_whole_and_is_named(folder: Path) -> None:
    (folder / "ledger" / "ledger.sqlite").rename(folder / "ledger" / "kept")
    (folder / "ledger" / "ledger.sqlite").write_bytes(b"not a database at all" * 500)
    try:
        demo = DemoProcess(folder, ("--interval", "30")).start()
        assert demo.wait(PATIENCE_S) == 75
    finally:
        (folder / "ledger" / "kept").replace(folder / "ledger" / "ledger.sqlite")
    assert "peerwatt-hub: ledger did not start" in demo.stderr and "can not be read as a ledger" in demo.stderr
    assert "Traceback" not in demo.stderr, demo.stderr
    assert not left_of(folder)
