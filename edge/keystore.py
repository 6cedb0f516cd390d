"""The gateway's own keys: made here, 0600, never sent anywhere. systemd may hand them over as credentials instead."""

import os
import secrets
import stat
from pathlib import Path

import nkeys
from nacl.signing import SigningKey

from edge.errors import KeyFileError

FRAME_KEY, NATS_KEY = "frame.key", "nats.key"


def make_keys(folder: Path) -> None:
    """Makes what is missing in the private folder; existing keys stay.

    Raises:
        KeyFileError: the folder or a file can not be written.
    """
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        for name in (FRAME_KEY, NATS_KEY):
            if not (folder / name).exists():
                write_private(folder / name, secrets.token_hex(32) + "\n")
    except OSError as error:
        raise KeyFileError(f"No keys can be made in {folder} ({error.strerror}): check its owner and mode") from error


def load_frame_key(folder: Path) -> SigningKey:
    """The key that signs frames.

    Raises:
        KeyFileError: it is missing, unreadable, readable by others, or no key.
    """
    return SigningKey(_seed(folder, FRAME_KEY))


def load_nats_key(folder: Path) -> nkeys.KeyPair:
    """The key with which the gateway logs in at the hub's NATS.

    Raises:
        KeyFileError: it is missing, unreadable, readable by others, or no key.
    """
    seed = nkeys.encode_seed(_seed(folder, NATS_KEY), nkeys.PREFIX_BYTE_USER)
    return nkeys.from_seed(bytearray(seed))


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
    """Whether there is such a file.

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


def _seed(folder: Path, name: str) -> bytes:
    handed = os.environ.get("CREDENTIALS_DIRECTORY")
    path = Path(handed) / name if handed and is_there(Path(handed) / name) else folder / name
    try:
        seed = bytes.fromhex(read_private(path).strip())
    except ValueError as error:
        raise KeyFileError(f"{path} is no key (64 hex digits expected): restore it, or remove it and enrol") from error
    if len(seed) != 32:
        raise KeyFileError(f"{path} is no key (64 hex digits expected): restore it, or remove it and enrol")
    return seed
