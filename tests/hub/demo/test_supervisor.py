"""Parts stop together and within the grace period; no error ends the restarts of a part or loses its process."""

import asyncio
import shutil
import signal
import sys
import time
from collections.abc import AsyncIterator
from pathlib import Path

import psutil
import pytest

from hub.demo.supervisor import Part, Supervisor
from hub.embedded import leftovers
from hub.embedded.processes import GracePeriod, StartError, on_free_ports, spawn
from support.waiting import eventually

SLEEP = (sys.executable, "-c", "import time; print('{}', flush=True); time.sleep(600)")
GRACE_S = 5.0


def running() -> list[psutil.Process]:
    """Returns the child processes that have not ended."""
    return [child for child in psutil.Process().children() if child.cmdline()[1:] == list(SLEEP[1:])]


@pytest.fixture
def lines() -> list[str]:
    return []


@pytest.fixture
async def supervisor(tmp_path: Path, lines: list[str]) -> AsyncIterator[Supervisor]:
    supervisor = Supervisor(tmp_path, lines.append, GracePeriod(GRACE_S))
    yield supervisor
    await supervisor.close()
    assert not running()


async def test_parts_that_hang_end_together(supervisor: Supervisor) -> None:
    """The product promises that Ctrl-C takes at most ten seconds, so the time itself is tested."""
    for name, layer in (("north", 2), ("south", 2), ("workshop", 2), ("worker", 1), ("ledger", 0), ("simulator", 0)):
        await supervisor.start(Part(name, SLEEP, announces=True, layer=layer))
        psutil.Process(supervisor.pid(name)).send_signal(signal.SIGSTOP)
    started_s = time.monotonic()
    await supervisor.close()
    assert time.monotonic() - started_s < GRACE_S
    assert not running()


async def test_the_layers_above_end_first(supervisor: Supervisor, tmp_path: Path) -> None:
    text = (
        "import pathlib, signal, sys\n"
        "def end(*_):\n"
        f"    with open({str(tmp_path / 'ends')!r}, 'a') as out: out.write(sys.argv[1] + '\\n')\n"
        "    sys.exit()\n"
        "signal.signal(signal.SIGTERM, end)\n"
        "print('{}', flush=True)\n"
        "while True: signal.pause()\n"
    )
    for layer in (0, 2, 1):
        command = (sys.executable, "-c", text, str(layer))
        await supervisor.start(Part(f"part {layer}", command, announces=True, layer=layer))
    await supervisor.close()
    assert (tmp_path / "ends").read_text().split() == ["2", "1", "0"]


async def test_a_part_is_kept_over_a_full_disk(
    supervisor: Supervisor, lines: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whether the process number can not be written, or anything else fails while the part starts again."""
    await supervisor.start(Part("part", SLEEP, announces=True))
    first = supervisor.pid("part")

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(leftovers, "record", full)
        psutil.Process(first).kill()
        await eventually(lambda: any("could not be started" in line for line in lines), what="the fault to be said")
        assert any("could not be started: [Errno 28] No space left on device" in line for line in lines)
        assert not running()
    await eventually(lambda: supervisor.pid("part") != first and len(running()) == 1, what="the part's return")
    assert running()[0].pid == supervisor.pid("part")


async def test_a_part_that_ended_is_said_with_where_to_look(
    supervisor: Supervisor, lines: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    await supervisor.start(Part("part", SLEEP, announces=True))
    first = supervisor.pid("part")
    psutil.Process(first).kill()
    await eventually(lambda: len(lines) == 1, what="the first end to be said")
    assert lines[0] == f"part ended (-9); starting it again in 0.5 s; its log is {tmp_path}/part.log"
    await eventually(lambda: supervisor.pid("part") != first, what="the part's return")
    usage = shutil.disk_usage(tmp_path)
    monkeypatch.setattr(shutil, "disk_usage", lambda _: usage._replace(free=4096))
    psutil.Process(supervisor.pid("part")).kill()
    full = f"the disk of {tmp_path} is full: make room"
    await eventually(lambda: any(line.endswith(full) for line in lines), what="the full disk to be said")


async def test_no_note_can_be_written_and_the_child_runs(tmp_path: Path) -> None:
    log = tmp_path / "part.log"
    log.with_suffix(".pid").mkdir()
    process = await spawn(SLEEP, log=log)
    assert process.returncode is None
    process.kill()
    await process.wait()


async def test_a_log_that_can_not_be_written_says_what_to_do(tmp_path: Path) -> None:
    log = tmp_path / "part.log"
    log.mkdir()
    with pytest.raises(StartError, match=r"part\.log can not be written \(Is a directory\): make room on its disk"):
        await spawn(SLEEP, log=log)


async def test_a_port_that_somebody_took_is_left_for_another() -> None:
    answers: list[StartError | int] = [
        StartError("bind: address already in use"),
        StartError("Address already in use"),
        4711,
    ]

    async def start() -> int:
        await asyncio.sleep(0)
        answer = answers.pop(0)
        if isinstance(answer, StartError):
            raise answer
        return answer

    assert await on_free_ports(start) == 4711
    answers[:] = [StartError("no such file"), 4711]
    with pytest.raises(StartError, match="no such file"):
        await on_free_ports(start)
    answers[:] = [StartError("bind: address already in use")] * 9
    with pytest.raises(StartError, match="already in use"):
        await on_free_ports(start)
    assert len(answers) == 4
