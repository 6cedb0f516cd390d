"""The demo's state folder: private, versioned, used by one demo at a time."""

import contextlib
import fcntl
import json
import os
import secrets
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from hub.errors import ConfigError

VERSION = 1
NEEDED_BYTES = 512 * 1024 * 1024


@dataclass(frozen=True)
class State:
    """The folder and what stands in it."""

    folder: Path

    def part(self, name: str) -> Path:
        """A private folder for one part of the system."""
        path = self.folder / name
        path.mkdir(mode=0o700, exist_ok=True)
        return path

    def secret(self, name: str) -> str:
        """A random password that is made once and stays."""
        file = self.part("secrets") / name
        if not file.exists():
            with os.fdopen(os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as out:
                out.write(secrets.token_urlsafe(15))
        return file.read_text()

    def recall(self) -> dict[str, Any]:
        """What an earlier start wrote down: the sun's offset, the interval's length."""
        file = self.folder / "demo.json"
        return dict(json.loads(file.read_text())) if file.exists() else {}

    def remember(self, **values: Any) -> None:
        """Writes values down for the next start, all or nothing."""
        file = self.folder / "demo.json"
        draft = file.with_suffix(".new")
        draft.write_text(json.dumps({**self.recall(), **values}, indent=2) + "\n")
        draft.replace(file)


@contextlib.contextmanager
def open_state(folder: Path) -> Iterator[State]:
    """Makes or opens the folder and keeps every other demo out of it until the end.

    Raises:
        ConfigError: another demo runs in it, another version made it, it is not ours, or the disk is full.
    """
    folder = folder.absolute()
    _make(folder)
    lock = os.open(folder / "lock", os.O_RDWR | os.O_CREAT, 0o600)
    try:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise ConfigError(
                f"A demo is already running in {folder}: stop it with Ctrl-C there, or use another folder: --state DIR"
            ) from None
        _check_version(folder)
        _check_room(folder)
        yield State(folder)
    finally:
        os.close(lock)


def _make(folder: Path) -> None:
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        if folder.stat().st_uid == os.geteuid():
            folder.chmod(0o700)
    except OSError as error:
        raise ConfigError(
            f"The state folder {folder} can not be made ({error.strerror}): choose another with --state DIR"
        ) from error
    if not os.access(folder, os.W_OK):
        raise ConfigError(f"The state folder {folder} can not be written to: choose another with --state DIR")


def _check_version(folder: Path) -> None:
    file = folder / "VERSION"
    if not file.exists():
        strangers = sorted(p.name for p in folder.iterdir() if p.name != "lock")
        if strangers:
            raise ConfigError(
                f"{folder} holds other things ({', '.join(strangers[:3])}): a demo wants an empty folder: --state DIR"
            )
        file.write_text(f"{VERSION}\n")
        return
    found = file.read_text().strip()
    if found != str(VERSION):
        raise ConfigError(
            f"{folder} was made by another version of Peerwatt (state {found or 'unknown'}, this one reads {VERSION}): "
            f"keep it for that version and start afresh with --state DIR"
        )


def _check_room(folder: Path) -> None:
    free = shutil.disk_usage(folder).free
    if free < NEEDED_BYTES:
        raise ConfigError(
            f"The disk of {folder} is nearly full: {free >> 20} MiB free, the demo needs {NEEDED_BYTES >> 20} MiB. "
            f"Make room, or use a folder on another disk: --state DIR"
        )
