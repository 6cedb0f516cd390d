"""The keys that found the programs and then act on them: random, one 0600 file each, made at the first start."""

from dataclasses import dataclass
from pathlib import Path

from solders.keypair import Keypair
from solders.pubkey import Pubkey

from hub.keys import load_or_create

MEMBERS = 3
THRESHOLD = 2


@dataclass(frozen=True)
class Bootstrap:
    """Key pairs of everyone who signs when the programs are founded.

    In production, members and upgrade authority are offline. The upgrade authority has no power left once governance
    holds the programs.
    """

    fee_payer: Keypair
    upgrade_authority: Keypair
    members: tuple[Keypair, ...]
    """Governance's authority set; the first member is the REC validator."""
    registrar: Keypair
    attestors: tuple[Keypair, ...]
    settler: Keypair
    currency_mint: Keypair
    mint_authority: Keypair

    @classmethod
    def load_or_create(cls, folder: Path) -> "Bootstrap":
        """Reads the keys in a folder, and writes new ones for those that are missing.

        Raises:
            KeyFileError: other users can read a key file, or it holds no key.
        """

        def key(name: str) -> Keypair:
            return load_or_create(folder / f"{name}.json")

        return cls(
            fee_payer=key("fee_payer"),
            upgrade_authority=key("upgrade_authority"),
            members=tuple(key(name) for name in ("rec_validator", "cosigner_1", "cosigner_2")),
            registrar=key("registrar"),
            attestors=(key("attestor"),),
            settler=key("settler"),
            currency_mint=key("currency_mint"),
            mint_authority=key("mint_authority"),
        )

    @classmethod
    def random(cls) -> "Bootstrap":
        """Returns new keys that are stored nowhere, for tests."""
        members = tuple(Keypair() for _ in range(MEMBERS))
        return cls(Keypair(), Keypair(), members, Keypair(), (Keypair(),), Keypair(), Keypair(), Keypair())

    @property
    def mint(self) -> Pubkey:
        """The address of the currency's mint."""
        return self.currency_mint.pubkey()
