"""Reads the keys that settlement signs with: fee payer, attestor and settler, each in its own file."""

from dataclasses import dataclass
from pathlib import Path

from solders.keypair import Keypair

from hub import keys


@dataclass(frozen=True)
class SettlementKeys:
    """The keys of a settlement; they are separate, so that each can be replaced alone."""

    fee_payer: Keypair
    attestors: tuple[Keypair, ...]
    settler: Keypair

    @classmethod
    def load(cls, folder: Path, *, demo: bool = False) -> "SettlementKeys":
        """Reads the key files; ``demo`` accepts keys that the demo made.

        Raises:
            DemoKeysError: the demo made the keys.
            KeyFileError: a file is missing, is readable by others, or holds no key.
        """
        keys.refuse_demo_keys(folder, demo=demo)
        return cls(
            fee_payer=keys.load(folder / "fee_payer.json"),
            attestors=(keys.load(folder / "attestor.json"),),
            settler=keys.load(folder / "settler.json"),
        )
