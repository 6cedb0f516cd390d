"""Builds the upgradeable loader's instruction that changes who may upgrade a program."""

from solders.instruction import AccountMeta, Instruction
from solders.pubkey import Pubkey

from hub.chain import pdas

_SET_AUTHORITY = (4).to_bytes(4, "little")


def hand_over(program: str, authority: Pubkey) -> Instruction:
    """Makes governance a program's upgrade authority; signed by the authority before it."""
    return set_authority(pdas.program_data(program), authority, pdas.governance_upgrader())


def set_authority(account: Pubkey, authority: Pubkey, successor: Pubkey) -> Instruction:
    """Gives a program's ProgramData or a buffer another authority; signed by the authority before it."""
    return Instruction(
        pdas.UPGRADEABLE_LOADER,
        _SET_AUTHORITY,
        [
            AccountMeta(account, is_signer=False, is_writable=True),
            AccountMeta(authority, is_signer=True, is_writable=False),
            AccountMeta(successor, is_signer=False, is_writable=False),
        ],
    )
