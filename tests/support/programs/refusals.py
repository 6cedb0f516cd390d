"""Checks of what every program refuses: founders who may not found, and forged accounts."""

from collections.abc import Sequence

from solders.account import Account
from solders.instruction import Instruction
from solders.keypair import Keypair
from solders.pubkey import Pubkey

from support.programs.svm import PROGRAM_IDS, Chain, program_data_address, swapped


def check_only_the_upgrade_authority_founds(chain: Chain, program: str, initialize: Instruction) -> None:
    """Checks that neither a stranger nor the upgrade authority of another program can initialize this one."""
    stranger, other = chain.key("stranger"), _another(program)
    as_stranger = swapped(initialize, chain.upgrade_authority.pubkey(), stranger.pubkey())
    chain.fails("NotUpgradeAuthority", as_stranger, signers=[stranger])
    foreign = swapped(initialize, program_data_address(program), program_data_address(other))
    chain.fails("ConstraintSeeds", foreign, signers=[chain.upgrade_authority])


def check_forgeries_are_refused(
    chain: Chain, ix: Instruction, program: str, address: Pubkey, *, signers: Sequence[Keypair] = ()
) -> None:
    """Checks that the instruction refuses copies of this account of ``program``: of another program or type."""
    stored = chain.svm.get_account(address)
    assert stored is not None
    data, forged = bytes(stored.data), chain.key("forged").pubkey()
    for owner, content, error in (
        (_another(program), data, "AccountOwnedByWrongProgram"),
        (program, bytes(8) + data[8:], "AccountDiscriminatorMismatch"),
    ):
        chain.svm.set_account(forged, Account(stored.lamports, content, PROGRAM_IDS[owner]))
        chain.fails(error, swapped(ix, address, forged), signers=signers)


def _another(program: str) -> str:
    return "oracle" if program != "oracle" else "governance"
