"""Children do not outlive this process; one that hung is ended before its successor starts, no other process is."""

import asyncio
import os
import signal
import sys
from pathlib import Path

import psutil
import pytest

from hub.embedded.leftovers import end_left_over
from hub.embedded.postgres import run_postgres
from hub.embedded.processes import StartError, run_once, spawn, stop
from support.waiting import eventually

SLEEP = (sys.executable, "-c", "import time; print('up', flush=True); time.sleep(600)")
STUBBORN = (
    sys.executable, "-c",
    "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); print('up', flush=True); time.sleep(600)",
)  # fmt: skip


def running(pid: int) -> bool:
    try:
        return psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


async def up(process: asyncio.subprocess.Process) -> int:
    assert process.stdout is not None
    assert await process.stdout.readline() == b"up\n"
    return process.pid


async def test_a_predecessor_is_ended_even_when_it_will_not(tmp_path: Path) -> None:
    log = tmp_path / "part.log"
    for command in (SLEEP, STUBBORN):
        pid = await up(await spawn(command, log=log, stdout_pipe=True))
        await end_left_over(log, seconds=0.5)
        assert not running(pid)


async def test_the_same_log_has_one_writer(tmp_path: Path) -> None:
    log = tmp_path / "part.log"
    first = await spawn(SLEEP, log=log, stdout_pipe=True)
    first_pid = await up(first)
    second = await spawn(SLEEP, log=log, stdout_pipe=True)
    try:
        assert not running(first_pid)
        assert running(await up(second))
    finally:
        await stop(second)
        await first.wait()


async def test_somebody_else_who_has_got_the_number_is_left_alone(tmp_path: Path) -> None:
    log = tmp_path / "part.log"
    process = await spawn(SLEEP, log=log, stdout_pipe=True)
    try:
        pid = await up(process)
        for note in (f"{pid} 1000000000.0\n", f"{os.getpid()} 1.0\n", "nonsense", f"{2**22 + 1} 1.0", ""):
            log.with_suffix(".pid").write_text(note)
            await end_left_over(log, seconds=0.5)
        assert running(pid)
    finally:
        await stop(process)


async def test_a_program_that_is_not_there_is_one_sentence(tmp_path: Path) -> None:
    with pytest.raises(StartError, match=r"nowhere can not be run \(No such file or directory\): install"):
        await spawn([tmp_path / "nowhere"], log=tmp_path / "part.log")
    with pytest.raises(StartError, match=r"nowhere can not be run"):
        await run_once([str(tmp_path / "nowhere")])


async def test_a_command_that_is_broken_off_is_ended(tmp_path: Path) -> None:
    file = tmp_path / "pid"
    text = f"import os, pathlib, time; pathlib.Path({str(file)!r}).write_text(str(os.getpid())); time.sleep(600)"
    task = asyncio.create_task(run_once([sys.executable, "-c", text]))
    await eventually(lambda: file.exists() and file.read_text() != "", what="the command")
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert not running(int(file.read_text()))


HOST = """
import asyncio, pathlib, sys
from hub.embedded.postgres import run_postgres
async def main():
    async with run_postgres(pathlib.Path(sys.argv[1]), durable=False) as url:
        print("up", flush=True)
        await asyncio.Event().wait()
asyncio.run(main())
"""


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells children of their parent's death")
async def test_postgresql_dies_with_us_and_the_next_one_starts_at_once(tmp_path: Path) -> None:
    """Also as root, where PostgreSQL runs in a user namespace of its own."""
    host = await asyncio.create_subprocess_exec(sys.executable, "-c", HOST, tmp_path, stdout=asyncio.subprocess.PIPE)
    await up(host)
    pid = int((tmp_path / "postgres.pid").read_text().split()[0])
    assert int((tmp_path / "data" / "postmaster.pid").read_text().split()[0]) == pid
    host.kill()
    await host.wait()
    await eventually(lambda: not running(pid), what="PostgreSQL's end")
    async with run_postgres(tmp_path, durable=False):
        pass


async def test_a_postgresql_that_hung_through_our_death_is_replaced(tmp_path: Path) -> None:
    host = await asyncio.create_subprocess_exec(sys.executable, "-c", HOST, tmp_path, stdout=asyncio.subprocess.PIPE)
    await up(host)
    pid = int((tmp_path / "postgres.pid").read_text().split()[0])
    os.kill(pid, signal.SIGSTOP)
    host.kill()
    await host.wait()
    await end_left_over(tmp_path / "postgres.log", signal.SIGINT, seconds=0.5)
    assert not running(pid)
    async with run_postgres(tmp_path, durable=False):
        pass


async def test_a_data_folder_that_was_broken_off_half_way_is_made_again(tmp_path: Path) -> None:
    async def serve() -> None:
        async with run_postgres(tmp_path, durable=False):
            pass

    task = asyncio.create_task(serve())
    await eventually((tmp_path / "data.new" / "PG_VERSION").exists, what="initdb")
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert not (tmp_path / "data").exists()
    await serve()
    assert (tmp_path / "data" / "PG_VERSION").exists()
