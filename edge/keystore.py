"""The gateway's two private keys: drawn here, kept with mode 0600, never sent anywhere.

systemd may hand them over as credentials instead (systemd.exec(5), ``$CREDENTIALS_DIRECTORY``).
"""

import os
import secrets
from pathlib import Path

import nkeys
from nacl.signing import SigningKey

from edge.errors import KeyFileError
from edge.runtime.private_files import is_there, read_private, write_private

FRAME_KEY, NATS_KEY = "frame.key", "nats.key"


def make_keys(folder: Path) -> None:
    """Draws the keys that the folder does not hold yet; existing keys stay.

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
    """Loads the Ed25519 key that signs frames.

    Raises:
        KeyFileError: it is missing, unreadable, readable by others, or no key.
    """
    return SigningKey(_seed(folder, FRAME_KEY))


def load_nats_key(folder: Path) -> nkeys.KeyPair:
    """Loads the nkey with which the gateway logs in at the hub's NATS.

    Raises:
        KeyFileError: it is missing, unreadable, readable by others, or no key.
    """
    seed = nkeys.encode_seed(_seed(folder, NATS_KEY), nkeys.PREFIX_BYTE_USER)
    return nkeys.from_seed(bytearray(seed))


def _seed(folder: Path, name: str) -> bytes:
    credentials = os.environ.get("CREDENTIALS_DIRECTORY")
    path = Path(credentials) / name if credentials and is_there(Path(credentials) / name) else folder / name
    try:
        seed = bytes.fromhex(read_private(path).strip())
    except ValueError as error:
        raise KeyFileError(f"{path} is no key (64 hex digits expected): restore it, or remove it and enrol") from error
    if len(seed) != 32:
        raise KeyFileError(f"{path} is no key (64 hex digits expected): restore it, or remove it and enrol")
    return seed
