"""One agent a state folder: the second one is told so before it touches anything."""

import contextlib
import fcntl
import os
from collections.abc import Iterator
from pathlib import Path

from edge.errors import ConfigError, TryAgainError

LOCK_FILE = "lock"


@contextlib.contextmanager
def alone_in(state_dir: Path) -> Iterator[None]:
    """Keeps a second agent out of the folder.

    Raises:
        TryAgainError: one runs already.
        ConfigError: the folder can not be used.
    """
    try:
        lock = os.open(state_dir / LOCK_FILE, os.O_RDWR | os.O_CREAT, 0o600)
    except OSError as error:
        # A full or read-only disk must not keep us from polling, a missing folder should
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
