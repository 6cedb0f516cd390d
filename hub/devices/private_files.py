"""Reads and writes files with mode 0600; a file is replaced as a whole."""

import os
import secrets
from pathlib import Path

from hub.errors import ConfigError


def write_private(file: Path, content: str) -> None:
    """Writes the file with mode 0600, its folder with 0700; no reader ever sees an incomplete file."""
    file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    temporary = file.with_name(f".{file.name}.{secrets.token_hex(4)}")
    with os.fdopen(os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as output:
        output.write(content)
        output.flush()
        os.fsync(output.fileno())
    temporary.replace(file)


def read_private(file: Path) -> str:
    """Returns the content of a secret that another command wrote.

    Raises:
        ConfigError: the file is missing or can not be read.
    """
    try:
        return file.read_text()
    except OSError as error:
        raise ConfigError(
            f"{file} can not be read ({error.strerror}): start the hub with the state folder that holds its keys"
        ) from error
