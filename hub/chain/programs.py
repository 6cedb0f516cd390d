"""The five programs: their addresses, binaries and IDLs, and the anchorpy coders made from the IDLs."""

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
_PLACES = (_HERE / "deploy", _HERE.parent.parent / "programs" / "deploy")


def program_key(name: str) -> Keypair:
    """The published key of a program's address; it confers nothing once the program is deployed."""
    return Keypair.from_seed(hashlib.sha256(f"peerwatt/program/{name}/1".encode()).digest())


PROGRAM_IDS: Mapping[str, Pubkey] = {name: program_key(name).pubkey() for name in NAMES}


def program_binary(name: str) -> bytes:
    """The built program, from the installed package or the repository.

    Raises:
        ConfigError: it is in neither.
    """
    for folder in _PLACES:
        path = folder / f"{name}.so"
        if path.is_file():
            return path.read_bytes()
    raise ConfigError(f"The program {name}.so is missing in programs/deploy: run `make programs`, or install the wheel")


def published_hash(name: str) -> str:
    """SHA-256 in hex of the program as it was published with this version (``SHA256SUMS``).

    Raises:
        ConfigError: the list, or the program in it, is missing.
    """
    for folder in _PLACES:
        path = folder / "SHA256SUMS"
        if path.is_file():
            rows = (line.split() for line in path.read_text().splitlines())
            found = next((row[0] for row in rows if row[1:] == [f"{name}.so"]), None)
            if found is not None:
                return found
    raise ConfigError(f"{name}.so has no hash in programs/deploy/SHA256SUMS: run `make programs`, or install the wheel")


@cache
def idl(name: str) -> Idl:
    """The program's IDL in the form that anchorpy reads."""
    path = _HERE / "idl" / f"{name}.legacy.json"
    if not path.is_file():
        raise ConfigError(f"The IDL {path.name} is missing in hub/chain/idl: run `make programs`")
    return Idl.from_json(path.read_text())


@cache
def coder(name: str) -> Coder:
    """anchorpy's coder of the program's instructions, accounts, types and events."""
    return Coder(idl(name))
