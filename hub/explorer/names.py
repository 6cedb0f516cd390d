"""Names of the programs that our transactions meet: the five of ours, and Solana's own."""

from solders.pubkey import Pubkey

from hub.chain.pdas import UPGRADEABLE_LOADER
from hub.chain.programs import PROGRAM_IDS

OURS = {address: name for name, address in PROGRAM_IDS.items()}
TOKEN_2022 = Pubkey.from_string("TokenzQdBNbLqP5VEhdkAS6EPFLC1PHnBqCXEpPxuEb")
_SOLANAS = {
    Pubkey.default(): "System program",
    UPGRADEABLE_LOADER: "Upgradeable loader",
    TOKEN_2022: "Token-2022",
    Pubkey.from_string("TokenkegQfeZyiNwAJbNbGKPFXCWuBvf9Ss623VQ5DA"): "Token program",
    Pubkey.from_string("ATokenGPvbdGVxr1b2hvZbsiqW5xWH25efTNsLJA8knL"): "Associated token program",
    Pubkey.from_string("ComputeBudget111111111111111111111111111111"): "Compute budget",
    Pubkey.from_string("AddressLookupTab1e1111111111111111111111111"): "Address lookup tables",
    Pubkey.from_string("Ed25519SigVerify111111111111111111111111111"): "Ed25519 signatures",
    Pubkey.from_string("Sysvar1111111111111111111111111111111111111"): "Sysvar",
    Pubkey.from_string("NativeLoader1111111111111111111111111111111"): "Native loader",
}


def name_of(address: Pubkey) -> str | None:
    """The name of a program, or None when we know none."""
    return OURS.get(address) or _SOLANAS.get(address)
