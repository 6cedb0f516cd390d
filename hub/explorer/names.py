"""Names of programs: our five, and Solana's own."""

from solders.pubkey import Pubkey

from hub.chain.pdas import UPGRADEABLE_LOADER
from hub.chain.programs import PROGRAM_IDS

OUR_PROGRAMS = {address: name for name, address in PROGRAM_IDS.items()}
TOKEN_2022 = Pubkey.from_string("TokenzQdBNbLqP5VEhdkAS6EPFLC1PHnBqCXEpPxuEb")
_SOLANA_PROGRAMS = {
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
    """Returns the name of a program, or None when it is not listed."""
    return OUR_PROGRAMS.get(address) or _SOLANA_PROGRAMS.get(address)
