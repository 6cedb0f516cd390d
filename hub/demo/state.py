"""The demo's state folder: mode 0700, with a version, used by one demo at a time."""

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
MIN_FREE_BYTES = 512 * 1024 * 1024


@dataclass(frozen=True)
class State:
    """The folder and its contents."""

    folder: Path

    def part(self, name: str) -> Path:
        """Returns the folder of one part of the system, mode 0700; creates it if it is missing."""
        path = self.folder / name
        path.mkdir(mode=0o700, exist_ok=True)
        return path

    def secret(self, name: str) -> str:
        """Returns a random password; it is created once."""
        file = self.part("secrets") / name
        if not file.exists():
            with os.fdopen(os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as output:
                output.write(secrets.token_urlsafe(15))
        return file.read_text()

    def load_values(self) -> dict[str, Any]:
        """Returns the values that earlier starts saved: the sun's offset and the interval, in seconds."""
        file = self.folder / "demo.json"
        return dict(json.loads(file.read_text())) if file.exists() else {}

    def save_values(self, **values: Any) -> None:
        """Saves values for the next start, all of them or none."""
        file = self.folder / "demo.json"
        temporary = file.with_suffix(".new")
        temporary.write_text(json.dumps({**self.load_values(), **values}, indent=2) + "\n")
        temporary.replace(file)


@contextlib.contextmanager
def open_state(folder: Path) -> Iterator[State]:
    """Creates or opens the folder and locks it against other demos while the block runs.

    Raises:
        ConfigError: another demo uses the folder, another version made it, it holds other files, or the disk is full.
    """
    folder = folder.absolute()
    _make_folder(folder)
    lock = os.open(folder / "lock", os.O_RDWR | os.O_CREAT, 0o600)
    try:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise ConfigError(
                f"A demo is already running in {folder}: stop it with Ctrl-C there, or use another folder: --state DIR"
            ) from None
        _check_version(folder)
        _check_free_space(folder)
        yield State(folder)
    finally:
        os.close(lock)


def _make_folder(folder: Path) -> None:
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
        other_files = sorted(path.name for path in folder.iterdir() if path.name != "lock")
        if other_files:
            raise ConfigError(
                f"{folder} holds other things ({', '.join(other_files[:3])}): a demo wants an empty folder: --state DIR"
            )
        file.write_text(f"{VERSION}\n")
        return
    version = file.read_text().strip()
    if version != str(VERSION):
        raise ConfigError(
            f"{folder} was made by another version of Peerwatt "
            f"(state {version or 'unknown'}, this one reads {VERSION}): "
            f"keep it for that version and start afresh with --state DIR"
        )


def _check_free_space(folder: Path) -> None:
    free = shutil.disk_usage(folder).free
    if free < MIN_FREE_BYTES:
        raise ConfigError(
            f"The disk of {folder} is nearly full: {free >> 20} MiB free, the demo needs {MIN_FREE_BYTES >> 20} MiB. "
            f"Make room, or use a folder on another disk: --state DIR"
        )
