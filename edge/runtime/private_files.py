"""Private files of the agent's user: written all or nothing with mode 0600, refused when others may read them."""

import os
import stat
from pathlib import Path

from edge.errors import KeyFileError


def write_private(path: Path, text: str) -> None:
    """Writes a file that only its owner may read, all or nothing.

    Raises:
        OSError: it can not be written.
    """
    part = path.with_name(f".{path.name}.new")
    part.unlink(missing_ok=True)
    with os.fdopen(os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    part.replace(path)


def is_there(path: Path) -> bool:
    """Returns whether there is such a file.

    Raises:
        KeyFileError: its folder is closed to this user.
    """
    try:
        path.lstat()
    except (FileNotFoundError, NotADirectoryError):
        return False
    except OSError as error:
        raise KeyFileError(
            f"{path} can not be reached ({error.strerror}): run this as the agent's user, or check the folder's owner"
        ) from error
    return True


def read_private(path: Path) -> str:
    """Reads a file that nobody else may read.

    Raises:
        KeyFileError: it is missing, unreadable or open to others.
    """
    try:
        with path.open() as file:
            mode = stat.S_IMODE(os.fstat(file.fileno()).st_mode)
            if mode & 0o077:
                raise KeyFileError(f"{path} can be read by others (mode {mode:04o}): run `chmod 600 {path}`")
            return file.read(65536)
    except FileNotFoundError as error:
        raise KeyFileError(f"There is no {path}: run `peerwatt-edge enroll` first") from error
    except (OSError, UnicodeDecodeError) as error:
        raise KeyFileError(f"{path} can not be read ({error}): check its owner and mode 0600") from error
