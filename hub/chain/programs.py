"""The five programs: addresses, binaries, IDLs, and anchorpy's coders for the IDLs."""

import hashlib
from collections.abc import Mapping
from functools import cache
from pathlib import Path

from anchorpy.coder.coder import Coder
from anchorpy_core.idl import Idl
from solders.keypair import Keypair
from solders.pubkey import Pubkey

from hub.errors import ConfigError

NAMES = ("registry", "oracle", "energy_token", "trading", "governance")

_HERE = Path(__file__).resolve().parent
_BINARY_FOLDERS = (_HERE / "deploy", _HERE.parent.parent / "programs" / "deploy")


def program_key(name: str) -> Keypair:
    """Returns the key pair of a program's address. It is public: once the program is deployed it gives no power."""
    return Keypair.from_seed(hashlib.sha256(f"peerwatt/program/{name}/1".encode()).digest())


PROGRAM_IDS: Mapping[str, Pubkey] = {name: program_key(name).pubkey() for name in NAMES}


def program_binary(name: str) -> bytes:
    """Reads the built program from the installed package or the repository.

    Raises:
        ConfigError: neither has it.
    """
    for folder in _BINARY_FOLDERS:
        path = folder / f"{name}.so"
        if path.is_file():
            return path.read_bytes()
    raise ConfigError(f"The program {name}.so is missing in programs/deploy: run `make programs`, or install the wheel")


def published_hash(name: str) -> str:
    """Returns the SHA-256 in hex of the program that this version of the hub publishes (``SHA256SUMS``).

    Raises:
        ConfigError: the file is missing, or has no such program.
    """
    for folder in _BINARY_FOLDERS:
        path = folder / "SHA256SUMS"
        if path.is_file():
            rows = (line.split() for line in path.read_text().splitlines())
            sha256 = next((row[0] for row in rows if row[1:] == [f"{name}.so"]), None)
            if sha256 is not None:
                return sha256
    raise ConfigError(f"{name}.so has no hash in programs/deploy/SHA256SUMS: run `make programs`, or install the wheel")


@cache
def idl(name: str) -> Idl:
    """Reads the program's IDL in the form that anchorpy reads.

    Raises:
        ConfigError: the file is missing.
    """
    path = _HERE / "idl" / f"{name}.legacy.json"
    if not path.is_file():
        raise ConfigError(f"The IDL {path.name} is missing in hub/chain/idl: run `make programs`")
    return Idl.from_json(path.read_text())


@cache
def coder(name: str) -> Coder:
    """Returns anchorpy's coder of the program's instructions, accounts, types and events.

    Raises:
        ConfigError: the program's IDL is missing.
    """
    return Coder(idl(name))
