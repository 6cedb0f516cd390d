"""The first block: the programs as upgradeable programs, the native supply, and who may upgrade.

Comes from ``genesis.json`` in the ledger's folder; goes into block 0.
"""

import json
import struct
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from solders.account import Account
from solders.pubkey import Pubkey

from hub.chain.ledger.errors import LedgerError

_LOADER = Pubkey.from_string("BPFLoaderUpgradeab1e11111111111111111111111")
_SYSTEM = Pubkey.default()
_LAMPORTS_PER_BYTE_YEAR_TWICE = 6960

NATIVE_SUPPLY_LAMPORTS = 500_000_000 * 10**9
"""Held by the ledger's own authority, which a faucet pays out of."""


@dataclass(frozen=True)
class Genesis:
    """What a new ledger starts with."""

    upgrade_authority: Pubkey
    funded: Mapping[Pubkey, int] = field(default_factory=dict)
    """Lamports by address."""

    def to_json(self) -> str:
        funded = {str(key): lamports for key, lamports in self.funded.items()}
        return json.dumps({"upgrade_authority": str(self.upgrade_authority), "funded": funded}, indent=2)

    @classmethod
    def from_json(cls, text: str) -> "Genesis":
        """Reads what to_json wrote.

        Raises:
            LedgerError: not that.
        """
        try:
            value = json.loads(text)
            funded = {Pubkey.from_string(k): int(v) for k, v in value["funded"].items()}
            return cls(Pubkey.from_string(value["upgrade_authority"]), funded)
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise LedgerError(
                f"genesis.json must name upgrade_authority and funded (address: lamports): {error}"
            ) from error


def write_genesis(folder: Path, genesis: Genesis) -> None:
    """Leaves the genesis for the ledger to find at its first start."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    (folder / "genesis.json").write_text(genesis.to_json() + "\n")


def read_genesis(folder: Path) -> Genesis:
    """The genesis that lies in the folder.

    Raises:
        LedgerError: there is none, or it can not be read.
    """
    path = folder / "genesis.json"
    if not path.is_file():
        raise LedgerError(
            f"There is no ledger in {folder} and no {path.name} to begin one with: "
            "write it with `upgrade_authority` and `funded`, or point --state to the ledger's folder"
        )
    return Genesis.from_json(path.read_text())


def first_accounts(genesis: Genesis, authority: Pubkey, programs: Mapping[Pubkey, bytes]) -> dict[Pubkey, Account]:
    """The accounts of block 0."""
    accounts = {authority: Account(NATIVE_SUPPLY_LAMPORTS, b"", _SYSTEM)}
    for key, lamports in genesis.funded.items():
        accounts[key] = Account(lamports, b"", _SYSTEM)
    for address, binary in programs.items():
        data_address = program_data_address(address)
        data = struct.pack("<IQB", 3, 0, 1) + bytes(genesis.upgrade_authority) + binary
        accounts[data_address] = Account(_rent(len(data)), data, _LOADER)
        pointer = struct.pack("<I", 2) + bytes(data_address)
        accounts[address] = Account(_rent(len(pointer)), pointer, _LOADER, True)
    return accounts


def program_data_address(program: Pubkey) -> Pubkey:
    """Where the upgradeable loader keeps a program's code and upgrade authority."""
    return Pubkey.find_program_address([bytes(program)], _LOADER)[0]


def _rent(size: int) -> int:
    return (size + 128) * _LAMPORTS_PER_BYTE_YEAR_TWICE
