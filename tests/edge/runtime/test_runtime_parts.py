"""What the agent tells the machine it runs on: log lines, systemd, its status socket, its private files."""

import asyncio
import json
import logging
import os
import socket
import sys
from pathlib import Path
from typing import Any

import pytest

from edge.errors import ConfigError, KeyFileError, TryAgainError
from edge.runtime import logs
from edge.runtime.lock import exclusive_lock
from edge.runtime.notify import notify
from edge.runtime.private_files import is_there, read_private, write_private
from edge.runtime.status import SOCKET, ask_status, serve_status


def test_a_log_line_is_one_object_with_the_call_s_own_fields(capfd: pytest.CaptureFixture[str]) -> None:
    logs.configure("warning")
    log = logging.getLogger("edge.test")
    log.info("unheard")
    logging.getLogger("library").error("unheard")
    log.warning("it is %s", "so", extra={"meter_id": "METER_001", "file": Path("x")})
    try:
        int("why")
    except ValueError:
        log.exception("it failed")
    logging.getLogger("library").critical("heard")
    first, second, third = map(json.loads, capfd.readouterr().err.splitlines())
    assert first.pop("time")[-6:] == "+00:00" and first == {
        "level": "warning", "event": "it is so", "meter_id": "METER_001", "file": "x",
    }  # fmt: skip
    assert second["event"] == "it failed" and "ValueError: invalid" in second["exception"]
    assert third["event"] == "heard"


@pytest.mark.parametrize(("level", "heard"), [("debug", 10), ("info", 20), ("warning", 30), ("error", 40), ("x", 20)])
def test_a_level_is_the_one_that_was_asked_for(level: str, heard: int) -> None:
    logs.configure(level)
    assert logging.getLogger("edge").level == heard and logging.getLogger().level == logging.CRITICAL


@pytest.mark.parametrize("abstract", [False, True])
def test_systemd_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, abstract: bool) -> None:
    name = f"\0peerwatt-test-{os.getpid()}" if abstract else str(tmp_path / "notify")
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as listening:
        listening.bind(name)
        listening.settimeout(10)
        monkeypatch.setenv("NOTIFY_SOCKET", name.replace("\0", "@"))
        notify("READY=1")
        assert listening.recv(100) == b"READY=1"
    notify("READY=1")
    monkeypatch.delenv("NOTIFY_SOCKET")
    notify("READY=1")


async def test_the_status_is_told_to_this_user_alone_and_its_socket_goes(tmp_path: Path) -> None:
    answer: dict[str, Any] = {"running": True, "long": "x" * 300_000}

    async def status() -> dict[str, Any]:
        return answer

    (tmp_path / SOCKET).write_text("what a killed agent left")
    async with serve_status(tmp_path, status):
        assert (tmp_path / SOCKET).stat().st_mode & 0o777 == 0o600
        for _ in range(2):
            assert await asyncio.to_thread(ask_status, tmp_path) == answer
    assert not (tmp_path / SOCKET).exists()
    assert ask_status(tmp_path) is None and ask_status(tmp_path / "none") is None
    (tmp_path / SOCKET).mkdir()
    async with serve_status(tmp_path, status):
        assert ask_status(tmp_path) is None
    assert (tmp_path / SOCKET).is_dir()


async def test_an_answer_that_is_no_object_is_none(tmp_path: Path) -> None:
    def answer(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"no JSON")
        writer.close()

    server = await asyncio.start_unix_server(answer, tmp_path / SOCKET)
    async with server:
        assert await asyncio.to_thread(ask_status, tmp_path) is None


def test_a_private_file_is_written_as_a_whole_and_read_when_it_is_private(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "key"
    (tmp_path / ".key.new").write_text("what a power cut left")
    synced: list[str] = []
    monkeypatch.setattr(os, "fsync", lambda number: synced.append(Path(f"/proc/self/fd/{number}").readlink().name))
    write_private(file, "one")
    assert (read_private(file), file.stat().st_mode & 0o777, list(tmp_path.iterdir())) == ("one", 0o600, [file])
    assert synced == [".key.new"], "its text is on the disk before its name is"
    write_private(file, "two")
    assert read_private(file) == "two"
    for mode in (0o610, 0o604, 0o601, 0o640):
        file.chmod(mode)
        with pytest.raises(KeyFileError, match="chmod 600"):
            read_private(file)
    with pytest.raises(KeyFileError, match="enroll"):
        read_private(tmp_path / "none")
    (tmp_path / "binary").write_bytes(b"\xff")
    (tmp_path / "binary").chmod(0o600)
    with pytest.raises(KeyFileError, match="check its owner"):
        read_private(tmp_path / "binary")
    assert is_there(file) and not is_there(tmp_path / "none") and not is_there(file / "below")


def test_one_agent_at_a_time_has_a_folder(tmp_path: Path) -> None:
    with exclusive_lock(tmp_path):
        assert (tmp_path / "lock").stat().st_mode & 0o777 == 0o600
        with pytest.raises(TryAgainError), exclusive_lock(tmp_path):
            raise AssertionError
    with exclusive_lock(tmp_path):
        pass
    with pytest.raises(ConfigError, match="peerwatt-edge init"), exclusive_lock(tmp_path / "none"):
        raise AssertionError
    (tmp_path / "lock").unlink()
    (tmp_path / "lock").mkdir()
    with exclusive_lock(tmp_path):
        assert sys.exc_info() == (None, None, None), "a disk that takes no lock keeps nobody from reading meters"
