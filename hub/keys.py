"""Reads and creates key files: one Ed25519 key each, a JSON array of 64 numbers as Solana's, mode 0600."""

import json
import os
import stat
from pathlib import Path

from solders.keypair import Keypair

from hub.errors import ConfigError


class KeyFileError(ConfigError):
    """A key file is missing, readable by others, or holds no key."""

    code = "key_file"


DEMO_MARK = "MADE_BY_DEMO"
_DEMO_TEXT = """The keys in this folder were made by `peerwatt-hub demo`, all on one machine and none of them offline.
They are for its chain only: every process that is not told `demo = true` refuses them.
"""


class DemoKeysError(ConfigError):
    """The keys were made by the demo, and this process is not part of one."""

    code = "demo_keys"


def mark_as_demo(folder: Path) -> None:
    """Marks the keys in a folder as made by the demo."""
    (folder / DEMO_MARK).write_text(_DEMO_TEXT)


def refuse_demo_keys(folder: Path, *, demo: bool) -> None:
    """Refuses keys that the demo made, unless ``demo`` is true.

    Raises:
        DemoKeysError: the folder is marked.
    """
    if not demo and (folder / DEMO_MARK).exists():
        raise DemoKeysError(
            f"The keys in {folder} were made by `peerwatt-hub demo` and protect nobody's money: set state_dir "
            "(PEERWATT_HUB_STATE_DIR) to a folder of its own, where each key is made anew, or let `peerwatt-hub demo` "
            "start this one"
        )


def load(path: Path) -> Keypair:
    """Reads a key file.

    Raises:
        KeyFileError: it is missing, readable by others, or holds no key.
    """
    try:
        with path.open("rb") as file:
            mode = stat.S_IMODE(os.fstat(file.fileno()).st_mode)
            if mode & 0o077:
                raise KeyFileError(f"The key {path} can be read by others (mode {mode:04o}): run `chmod 600 {path}`")
            content = file.read(4096)
    except FileNotFoundError as error:
        raise KeyFileError(
            f"There is no key {path}: put it there, or let its process make one at first start"
        ) from error
    except OSError as error:
        raise KeyFileError(
            f"The key {path} can not be read ({error.strerror}): check its owner and mode 0600"
        ) from error
    return _parse(path, content)


def load_or_create(path: Path) -> Keypair:
    """Reads a key file, or makes a random key and writes it with mode 0600.

    Raises:
        KeyFileError: the file is readable by others or holds no key, or it can not be written.
    """
    if path.exists():
        return load(path)
    key = Keypair()
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        _write(path, json.dumps(list(bytes(key))).encode())
    except FileExistsError:
        return load(path)
    except OSError as error:
        raise KeyFileError(f"The key {path} can not be written ({error.strerror}): check its folder") from error
    return key


def _write(path: Path, content: bytes) -> None:
    """Writes beside the target and links it into place, so that an incomplete key is never read."""
    temporary = path.with_name(f".{path.name}.{os.getpid()}")
    descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        os.link(temporary, path)
    finally:
        temporary.unlink()


def _parse(path: Path, content: bytes) -> Keypair:
    try:
        return Keypair.from_bytes(bytes(json.loads(content)))
    except (ValueError, TypeError) as error:
        raise KeyFileError(
            f"{path} is no key ({error}): a key file is a JSON list of 64 numbers as Solana's tools write it"
        ) from error
