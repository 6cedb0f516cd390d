"""The genesis: upgradeable programs and their upgrade authority, the native supply, features that are off.

It is read from ``genesis.json`` in the ledger's folder and goes into block 0.
"""

import json
import struct
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from solders.account import Account
from solders.pubkey import Pubkey

from hub.chain.bootstrap import Bootstrap
from hub.ledger.errors import LedgerError

_LOADER = Pubkey.from_string("BPFLoaderUpgradeab1e11111111111111111111111")
_SYSTEM = Pubkey.default()
_LAMPORTS_PER_BYTE = 6960
"""Rent of two years, which makes an account exempt from rent."""
_FEATURES = Pubkey.from_string("Feature111111111111111111111111111111111111")
_NEVER_ACTIVE = b"\x01" + bytes([255] * 8)
"""A feature's account, as Solana stores it, with the last possible slot as the slot of activation. No transaction can
write it, so only the genesis decides which features are on."""

CLOSES_LOADER = Pubkey.from_string("EmhbpdVtZ2hWRGFWBDjn2i3SJD8Z36z4mpMcZJEnebnP")
"""The feature of SIMD-0167, which closes the upgradeable loader to new programs. Off on Solana's clusters."""

NATIVE_SUPPLY_LAMPORTS = 500_000_000 * 10**9
"""Lamports of the ledger's authority, from which the faucet pays."""

FEE_PAYER_LAMPORTS = 1_000_000 * 10**9


@dataclass(frozen=True)
class Genesis:
    """The content of a new ledger."""

    upgrade_authority: Pubkey
    funded: Mapping[Pubkey, int] = field(default_factory=dict)
    """Lamports by address."""
    programs: bool = True
    """Whether our programs are deployed in the genesis."""
    features_off: tuple[Pubkey, ...] = (CLOSES_LOADER,)
    """Features of Solana's runtime that are never active on this chain; all others are."""

    def to_json(self) -> str:
        funded = {str(key): lamports for key, lamports in self.funded.items()}
        value = {"upgrade_authority": str(self.upgrade_authority), "funded": funded, "programs": self.programs}
        return json.dumps({**value, "features_off": [str(key) for key in self.features_off]}, indent=2)

    @classmethod
    def from_json(cls, text: str) -> "Genesis":
        """Reads what ``to_json`` wrote; without ``features_off``, as in older chains, every feature is on.

        Raises:
            LedgerError: the text is not a genesis.
        """
        try:
            value = json.loads(text)
            funded = {Pubkey.from_string(address): int(lamports) for address, lamports in value["funded"].items()}
            features_off = tuple(Pubkey.from_string(feature) for feature in value.get("features_off", []))
            return cls(
                Pubkey.from_string(value["upgrade_authority"]), funded, bool(value.get("programs", True)), features_off
            )
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise LedgerError(
                f"genesis.json must name upgrade_authority and funded (address: lamports): {error}"
            ) from error


def genesis_for(keys: Bootstrap) -> Genesis:
    """Returns the genesis of a hub's own chain, in which only the fee payer has lamports."""
    return Genesis(keys.upgrade_authority.pubkey(), {keys.fee_payer.pubkey(): FEE_PAYER_LAMPORTS})


def write_genesis(folder: Path, genesis: Genesis) -> None:
    """Writes ``genesis.json``, which the ledger reads at its first start."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    (folder / "genesis.json").write_text(genesis.to_json() + "\n")


def read_genesis(folder: Path) -> Genesis:
    """Reads ``genesis.json`` from the ledger's folder.

    Raises:
        LedgerError: the file is missing or can not be read.
    """
    path = folder / "genesis.json"
    if not path.is_file():
        raise LedgerError(
            f"There is no ledger in {folder} and no {path.name} to begin one with: "
            "write it with `upgrade_authority` and `funded`, or point --state to the ledger's folder"
        )
    return Genesis.from_json(path.read_text())


def first_accounts(genesis: Genesis, authority: Pubkey, programs: Mapping[Pubkey, bytes]) -> dict[Pubkey, Account]:
    """Returns the accounts of block 0; ``programs`` are binaries by program address."""
    accounts = {authority: Account(NATIVE_SUPPLY_LAMPORTS, b"", _SYSTEM)}
    for key, lamports in genesis.funded.items():
        accounts[key] = Account(lamports, b"", _SYSTEM)
    for key in genesis.features_off:
        accounts[key] = Account(_rent(len(_NEVER_ACTIVE)), _NEVER_ACTIVE, _FEATURES)
    for address, binary in programs.items():
        data_address = program_data_address(address)
        data = struct.pack("<IQB", 3, 0, 1) + bytes(genesis.upgrade_authority) + binary
        accounts[data_address] = Account(_rent(len(data)), data, _LOADER)
        pointer = struct.pack("<I", 2) + bytes(data_address)
        accounts[address] = Account(_rent(len(pointer)), pointer, _LOADER, True)
    return accounts


def is_disabled_feature(account: Account) -> bool:
    """Returns whether this is the account of a feature that is never active on the chain."""
    return account.owner == _FEATURES and account.data == _NEVER_ACTIVE


def program_data_address(program: Pubkey) -> Pubkey:
    """Returns the address where the upgradeable loader keeps a program's code and upgrade authority."""
    return Pubkey.find_program_address([bytes(program)], _LOADER)[0]


def _rent(size: int) -> int:
    return (size + 128) * _LAMPORTS_PER_BYTE
