"""Decisions of a campus's authority set, from the proposal to the end of the time lock."""

from typing import Any

from solders.instruction import Instruction
from solders.keypair import Keypair

from hub.chain.instructions import governance
from support.programs.campus_chain import AUTHORITY, TIME_LOCK_S, Campus
from support.programs.svm import Outcome

DAY_S = 86_400


def new_members(campus: Campus, count: int = 3) -> list[Keypair]:
    """Keys of an authority set that could follow the first one."""
    return [campus.chain.key(f"new member {number}") for number in range(count)]


def new_attestors(campus: Campus, count: int = 2) -> list[Keypair]:
    """Keys of attestors that could follow the first ones."""
    return [campus.chain.key(f"new attestor {number}") for number in range(count)]


def propose(campus: Campus, action: Any, member: Keypair | None = None) -> Instruction:
    """The next proposal, by default the validator's."""
    number = campus.chain.account("governance", AUTHORITY).proposal_count
    return governance.propose(campus.chain.payer.pubkey(), (member or campus.validator).pubkey(), number, action)


def proposed(campus: Campus, action: Any) -> int:
    """Proposes an action; the proposal's number."""
    number: int = campus.chain.account("governance", AUTHORITY).proposal_count
    campus.chain.ok(propose(campus, action), signers=[campus.validator])
    return number


def approved(campus: Campus, action: Any) -> int:
    """Proposes an action and approves it by a second member; the proposal's number."""
    number, cosigner = proposed(campus, action), campus.cosigners[0]
    campus.chain.ok(governance.approve(cosigner.pubkey(), number), signers=[cosigner])
    return number


def executed(campus: Campus, action: Any, *, wait_s: int = TIME_LOCK_S) -> int:
    """Approves an action, lets the time lock pass and executes it; the proposal's number."""
    number = approved(campus, action)
    campus.chain.advance(wait_s)
    campus.chain.ok(governance.execute(number))
    return number


def execute(campus: Campus, number: int) -> Outcome:
    """Tries to execute a proposal."""
    return campus.chain.send(governance.execute(number))
