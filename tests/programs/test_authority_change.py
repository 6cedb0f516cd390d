"""Governance: another authority set takes over in two steps, behind the time lock; decisions can be taken back."""

from typing import Any

import pytest
from solders.keypair import Keypair
from solders.pubkey import Pubkey

from hub.chain.instructions import actions, governance
from support.programs.campus_chain import AUTHORITY, PARAMS, PAUSE, TIME_LOCK_S, Campus, proposal_address
from support.programs.decisions import DAY_S, approved, execute, executed, new_members, propose, proposed
from support.programs.svm import swapped, unsigned


def change(members: list[Keypair], threshold: int = 2) -> Any:
    """The action that puts these members in place of the others."""
    keys = [member.pubkey() for member in members]
    return actions.change_authority(keys[0], keys, threshold)


def accept(index: int, members: list[Keypair]) -> Any:
    return governance.accept_authority(index, [member.pubkey() for member in members])


def test_a_new_set_accepts_after_the_time_lock_and_decides(campus: Campus) -> None:
    chain, members = campus.chain, new_members(campus)
    number = approved(campus, change(members))
    chain.advance(TIME_LOCK_S - 1)
    chain.fails("TimeLocked", accept(number, members[:2]), signers=members[:2])
    chain.advance(1)
    outcome = chain.ok(accept(number, members[1:]), signers=members[1:])
    event = outcome.event("AuthorityChanged")
    assert (event.set_index, event.threshold, event.rec_validator) == (1, 2, members[0].pubkey())
    authority = chain.account("governance", AUTHORITY)
    assert list(authority.members) == [member.pubkey() for member in members]
    assert (authority.rec_validator, authority.threshold, authority.set_index) == (members[0].pubkey(), 2, 1)
    old = propose(campus, actions.set_pause(paused=True))
    chain.fails("NotMember", old, signers=[campus.validator])
    chain.ok(propose(campus, actions.set_pause(paused=True), members[1]), signers=[members[1]])


def test_enough_of_the_new_set_must_sign(campus: Campus) -> None:
    chain, members, stranger = campus.chain, new_members(campus), campus.chain.key("stranger")
    number = approved(campus, change(members))
    chain.advance(TIME_LOCK_S)
    first, second, _ = members
    for error, signers in (
        ("NotAccepted", []),
        ("NotAccepted", [first]),
        ("AlreadyApproved", [first, first]),
        ("NotNewMember", [first, stranger]),
        ("NotNewMember", [first, second, stranger]),
        ("NotNewMember", campus.members[:2]),
    ):
        chain.fails(error, accept(number, signers), signers=signers)
    chain.fails("NotNewMember", unsigned(accept(number, [first, second]), second.pubkey()), signers=[first])
    assert chain.account("governance", AUTHORITY).set_index == 0


def test_the_old_set_must_have_approved(campus: Campus) -> None:
    chain, members = campus.chain, new_members(campus)
    alone = proposed(campus, change(members))
    other = approved(campus, actions.change_registrar(members[0].pubkey()))
    chain.advance(TIME_LOCK_S)
    chain.fails("NotEnoughApprovals", accept(alone, members), signers=members)
    chain.fails("WrongAction", accept(other, members), signers=members)


def test_it_happens_once_and_voids_what_the_old_set_left(campus: Campus) -> None:
    chain, members = campus.chain, new_members(campus)
    number = approved(campus, change(members))
    left = approved(campus, actions.set_pause(paused=True))
    chain.advance(TIME_LOCK_S)
    chain.ok(accept(number, members), signers=members)
    chain.fails("ProposalClosed", accept(number, members), signers=members)
    assert execute(campus, left).error == "ProposalOfOldSet"
    for ix in (governance.approve, governance.revoke):
        chain.fails("ProposalOfOldSet", ix(campus.validator.pubkey(), left), signers=[campus.validator])


def test_it_has_an_instruction_of_its_own(campus: Campus) -> None:
    number = approved(campus, change(new_members(campus)))
    campus.chain.advance(TIME_LOCK_S)
    assert execute(campus, number).error == "OwnInstruction"


def test_a_decision_lapses_two_weeks_after_its_time_lock(campus: Campus) -> None:
    chain, members = campus.chain, new_members(campus)
    number = approved(campus, change(members))
    chain.advance(TIME_LOCK_S + 14 * DAY_S + 1)
    chain.fails("ProposalExpired", accept(number, members), signers=members)
    chain.advance(-1)
    chain.ok(accept(number, members), signers=members)


@pytest.mark.parametrize(
    ("count", "threshold", "error"),
    [
        (0, 1, "InvalidMembers"),
        (3, 0, "InvalidThreshold"),
        (3, 4, "InvalidThreshold"),
        (3, 255, "InvalidThreshold"),
        (7, 7, None),
        (8, 1, "InvalidMembers"),
    ],
)
def test_sets_have_limits(campus: Campus, count: int, threshold: int, error: str | None) -> None:
    keys = [member.pubkey() for member in new_members(campus, count)]
    first = keys[0] if keys else campus.validator.pubkey()
    ix = propose(campus, actions.change_authority(first, keys, threshold))
    assert campus.chain.send(ix, signers=[campus.validator]).error == error


def test_the_largest_set_accepts_in_one_transaction(campus: Campus) -> None:
    members = new_members(campus, 7)
    number = approved(campus, change(members, 7))
    campus.chain.advance(TIME_LOCK_S)
    campus.chain.ok(accept(number, members), signers=members)


def test_unsound_sets_are_not_proposed(campus: Campus) -> None:
    first, second, _ = (member.pubkey() for member in new_members(campus))
    for validator, members in ((first, [first, first]), (first, [second]), (first, [first, Pubkey.default()])):
        ix = propose(campus, actions.change_authority(validator, members, 1))
        campus.chain.fails("InvalidMembers", ix, signers=[campus.validator])


def test_accounts_do_not_stand_in_for_each_other(campus: Campus) -> None:
    chain, members = campus.chain, new_members(campus)
    number = approved(campus, change(members))
    chain.advance(TIME_LOCK_S)
    ix = accept(number, members)
    for account, wrong in ((AUTHORITY, PARAMS), (PARAMS, PAUSE), (proposal_address(number), PARAMS)):
        chain.fails("AccountDiscriminatorMismatch", swapped(ix, account, wrong), signers=members)


def test_a_member_takes_an_approval_back_and_the_lock_begins_anew(campus: Campus) -> None:
    chain, cosigner = campus.chain, campus.cosigners[0]
    number = approved(campus, actions.set_time_lock(TIME_LOCK_S + 1))
    chain.advance(TIME_LOCK_S)
    outcome = chain.ok(governance.revoke(cosigner.pubkey(), number), signers=[cosigner])
    assert outcome.event("Revoked").approval_count == 1
    assert execute(campus, number).error == "NotEnoughApprovals"
    chain.ok(governance.approve(cosigner.pubkey(), number), signers=[cosigner])
    assert execute(campus, number).error == "TimeLocked"
    chain.advance(TIME_LOCK_S)
    assert execute(campus, number).error is None


def test_only_ones_own_approval_is_taken_back(campus: Campus) -> None:
    chain, stranger, third = campus.chain, campus.chain.key("stranger"), campus.cosigners[1]
    number = approved(campus, actions.set_pause(paused=True))
    chain.fails("NotMember", governance.revoke(stranger.pubkey(), number), signers=[stranger])
    chain.fails("NotApproved", governance.revoke(third.pubkey(), number), signers=[third])
    ix = governance.revoke(campus.validator.pubkey(), number)
    chain.fails("AccountNotSigner", unsigned(ix, campus.validator.pubkey()))
    assert execute(campus, number).error is None
    chain.fails("ProposalClosed", ix, signers=[campus.validator])


def test_more_approvals_than_needed_can_be_taken_back_without_a_delay(campus: Campus) -> None:
    chain, third = campus.chain, campus.cosigners[1]
    number = approved(campus, actions.set_time_lock(TIME_LOCK_S + 1))
    chain.ok(governance.approve(third.pubkey(), number), signers=[third])
    chain.advance(TIME_LOCK_S)
    chain.ok(governance.revoke(campus.validator.pubkey(), number), signers=[campus.validator])
    assert execute(campus, number).error is None


def test_the_time_lock_itself_changes_behind_the_time_lock(campus: Campus) -> None:
    chain = campus.chain
    number = approved(campus, actions.set_time_lock(90 * DAY_S))
    assert execute(campus, number).error == "TimeLocked"
    chain.advance(TIME_LOCK_S)
    assert execute(campus, number).error is None
    assert chain.account("governance", PARAMS).time_lock_s == 90 * DAY_S
    later = approved(campus, actions.set_time_lock(TIME_LOCK_S))
    chain.advance(90 * DAY_S - 1)
    assert execute(campus, later).error == "TimeLocked"
    chain.advance(1)
    assert execute(campus, later).error is None


@pytest.mark.parametrize("seconds", [-(2**63), 0, TIME_LOCK_S - 1, 90 * DAY_S + 1, 2**63 - 1])
def test_the_time_lock_has_limits(campus: Campus, seconds: int) -> None:
    ix = propose(campus, actions.set_time_lock(seconds))
    campus.chain.fails("InvalidTimeLock", ix, signers=[campus.validator])


def test_a_pause_still_waits_for_nothing(campus: Campus) -> None:
    executed(campus, actions.set_pause(paused=True), wait_s=0)
    assert campus.chain.account("governance", PAUSE).paused is True
