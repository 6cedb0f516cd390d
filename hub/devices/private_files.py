"""Files that only the hub may read: made once with mode 0600, replaced whole or not at all."""

import os
import secrets
from pathlib import Path

from hub.errors import ConfigError


def write_private(file: Path, content: str) -> None:
    """Writes the file (0600, its folder 0700) so that no reader ever sees half of it."""
    file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    draft = file.with_name(f".{file.name}.{secrets.token_hex(4)}")
    with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as out:
        out.write(content)
        out.flush()
        os.fsync(out.fileno())
    draft.replace(file)


def read_private(file: Path) -> str:
    """The content of a secret that another command has made.

    Raises:
        ConfigError: it is missing, or not ours to read.
    """
    try:
        return file.read_text()
    except OSError as error:
        raise ConfigError(
            f"{file} can not be read ({error.strerror}): start the hub with the state folder that holds its keys"
        ) from error
