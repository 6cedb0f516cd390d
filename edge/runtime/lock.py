"""Keeps a second agent out of a state folder with flock(2), before it touches anything."""

import contextlib
import fcntl
import os
from collections.abc import Iterator
from pathlib import Path

from edge.errors import ConfigError, TryAgainError

LOCK_FILE = "lock"


@contextlib.contextmanager
def exclusive_lock(state_dir: Path) -> Iterator[None]:
    """Holds the folder's lock; where a full or read-only disk refuses it, goes on without.

    Raises:
        TryAgainError: another agent holds it.
        ConfigError: there is no such folder.
    """
    try:
        lock = os.open(state_dir / LOCK_FILE, os.O_RDWR | os.O_CREAT, 0o600)
    except OSError as error:
        if state_dir.is_dir():
            yield
            return
        raise ConfigError(
            f"state_dir {state_dir} can not be used ({error.strerror}): run `peerwatt-edge init`"
        ) from error
    try:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise TryAgainError(
                f"Another agent runs with {state_dir}: stop it first, or use another state_dir"
            ) from error
        yield
    finally:
        os.close(lock)
