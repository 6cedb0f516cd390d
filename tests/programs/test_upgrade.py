"""Governance holds the programs' upgrade authority: code changes by decision, behind the time lock, by its hash."""

import hashlib

import pytest
from solders.instruction import Instruction

from hub.chain import pdas
from hub.chain.instructions import actions, governance, loader
from support.programs.campus_chain import PARAMS, PAUSE, TIME_LOCK_S, Campus, proposal_address
from support.programs.decisions import approved, execute, proposed
from support.programs.svm import LOADER, NAMES, PROGRAM_IDS, START, Outcome, swapped, unsigned
from support.programs.upgrades import (
    BUFFER,
    NEW_CODE,
    NEW_HASH,
    SPILL,
    UPGRADER,
    code,
    hand_over,
    put_buffer,
    run,
    upgrade,
    warp,
)

HEADER_BYTES = 45


def deployed(campus: Campus, name: str) -> tuple[bytes | None, bytes]:
    """A program's upgrade authority, None for nobody, and its code."""
    account = campus.chain.svm.get_account(pdas.program_data(name))
    assert account is not None
    data = bytes(account.data)
    return (data[13:45] if data[12] else None), data[HEADER_BYTES:]


@pytest.fixture
def governed(campus: Campus) -> Campus:
    """A campus whose founder has handed all programs to governance."""
    hand_over(campus)
    put_buffer(campus)
    campus.chain.advance(60)
    return campus


def succeeded(campus: Campus, ix: Instruction) -> Outcome:
    """The upgrade's outcome, which is no error."""
    outcome = run(campus, ix)
    assert outcome.error is None, outcome.logs
    return outcome


def refused(campus: Campus, error: str, ix: Instruction) -> None:
    """The upgrade fails with this error."""
    outcome = run(campus, ix)
    assert outcome.error == error, outcome.logs


def test_decided_code_replaces_the_old_and_runs(governed: Campus) -> None:
    chain = governed.chain
    number = approved(governed, actions.upgrade("registry", NEW_HASH))
    chain.advance(TIME_LOCK_S)
    event = succeeded(governed, upgrade(number)).event("Upgraded")
    assert (event.program, bytes(event.code_hash)) == (PROGRAM_IDS["registry"], NEW_HASH)
    authority, content = deployed(governed, "registry")
    assert (authority, content.rstrip(b"\0")) == (bytes(UPGRADER), NEW_CODE.rstrip(b"\0"))
    assert chain.svm.get_balance(SPILL)
    warp(governed, 20)
    chain.fails("DeclaredProgramIdMismatch", governed.register_gateway("gw-west"), signers=[governed.registrar])
    refused(governed, "ProposalClosed", upgrade(number))


def test_governance_replaces_its_own_code(governed: Campus) -> None:
    chain, same = governed.chain, code("governance")
    put_buffer(governed, same)
    number = approved(governed, actions.upgrade("governance", hashlib.sha256(same).digest()))
    chain.advance(TIME_LOCK_S)
    succeeded(governed, upgrade(number, "governance"))
    warp(governed, 20)
    assert execute(governed, approved(governed, actions.set_pause(paused=True))).error is None


def test_the_founder_has_no_power_left(governed: Campus) -> None:
    chain, founder = governed.chain, governed.chain.upgrade_authority
    for name in NAMES:
        assert deployed(governed, name)[0] == bytes(UPGRADER)
        taking = loader.set_authority(pdas.program_data(name), founder.pubkey(), founder.pubkey())
        chain.fails("IncorrectAuthority", taking, signers=[founder])


def test_code_changes_only_when_decided_and_due(governed: Campus) -> None:
    chain = governed.chain
    alone = proposed(governed, actions.upgrade("registry", NEW_HASH))
    number = approved(governed, actions.upgrade("registry", NEW_HASH))
    other = approved(governed, actions.set_time_lock(TIME_LOCK_S))
    refused(governed, "NotEnoughApprovals", upgrade(alone))
    chain.advance(TIME_LOCK_S - 1)
    refused(governed, "TimeLocked", upgrade(number))
    chain.advance(1)
    refused(governed, "WrongAction", upgrade(other))
    assert execute(governed, number).error == "OwnInstruction"
    assert deployed(governed, "registry")[1].rstrip(b"\0") == code("registry").rstrip(b"\0")


def test_only_the_decided_code_gets_in(governed: Campus) -> None:
    chain = governed.chain
    number = approved(governed, actions.upgrade("registry", NEW_HASH))
    chain.advance(TIME_LOCK_S)
    put_buffer(governed, NEW_CODE[:-1] + b"\x01")
    refused(governed, "OtherCode", upgrade(number))
    put_buffer(governed, NEW_CODE + b"\0")
    refused(governed, "OtherCode", upgrade(number))
    put_buffer(governed, authority=chain.payer.pubkey())
    refused(governed, "IncorrectAuthority", upgrade(number))


def test_only_the_decided_program_gets_it(governed: Campus) -> None:
    chain = governed.chain
    number = approved(governed, actions.upgrade("registry", NEW_HASH))
    chain.advance(TIME_LOCK_S)
    refused(governed, "WrongAction", upgrade(number, "trading"))
    ix = upgrade(number)
    foreign = swapped(ix, pdas.program_data("registry"), pdas.program_data("trading"))
    refused(governed, "ConstraintSeeds", foreign)
    refused(governed, "NotABuffer", swapped(ix, BUFFER, chain.payer.pubkey()))
    refused(governed, "NotABuffer", swapped(ix, BUFFER, PROGRAM_IDS["oracle"]))
    refused(governed, "NotHeldByGovernance", swapped(ix, UPGRADER, SPILL))
    refused(governed, "ConstraintAddress", swapped(ix, LOADER, PROGRAM_IDS["oracle"]))
    for account, wrong in ((PARAMS, PAUSE), (proposal_address(number), PARAMS)):
        refused(governed, "AccountDiscriminatorMismatch", swapped(ix, account, wrong))


def test_a_program_that_governance_does_not_hold_stays_as_it_is(campus: Campus) -> None:
    put_buffer(campus)
    number = approved(campus, actions.upgrade("registry", NEW_HASH))
    campus.chain.advance(TIME_LOCK_S)
    refused(campus, "NotHeldByGovernance", upgrade(number))


def test_a_program_goes_to_a_key_that_accepts(governed: Campus) -> None:
    chain, heir, stranger = governed.chain, governed.chain.key("heir"), governed.chain.key("stranger")
    number = approved(governed, actions.change_upgrade_authority("registry", heir.pubkey()))
    ix = governance.change_upgrade_authority(number, "registry", heir.pubkey())
    chain.fails("TimeLocked", ix, signers=[heir])
    chain.advance(TIME_LOCK_S)
    chain.fails("AccountNotSigner", unsigned(ix, heir.pubkey()))
    as_stranger = governance.change_upgrade_authority(number, "registry", stranger.pubkey())
    chain.fails("OtherUpgradeAuthority", as_stranger, signers=[stranger])
    chain.fails("OtherUpgradeAuthority", governance.change_upgrade_authority(number, "registry", None))
    elsewhere = governance.change_upgrade_authority(number, "trading", heir.pubkey())
    chain.fails("WrongAction", elsewhere, signers=[heir])
    event = chain.ok(ix, signers=[heir]).event("UpgradeAuthorityChanged")
    assert (event.program, event.authority) == (PROGRAM_IDS["registry"], heir.pubkey())
    assert deployed(governed, "registry")[0] == bytes(heir.pubkey())
    chain.fails("NotHeldByGovernance", ix, signers=[heir])


def test_a_program_becomes_final(governed: Campus) -> None:
    chain = governed.chain
    number = approved(governed, actions.change_upgrade_authority("registry", None))
    chain.advance(TIME_LOCK_S)
    heir = chain.key("heir")
    as_heir = governance.change_upgrade_authority(number, "registry", heir.pubkey())
    chain.fails("OtherUpgradeAuthority", as_heir, signers=[heir])
    chain.ok(governance.change_upgrade_authority(number, "registry", None))
    assert deployed(governed, "registry")[0] is None
    later = approved(governed, actions.upgrade("registry", NEW_HASH))
    chain.advance(TIME_LOCK_S)
    refused(governed, "NotHeldByGovernance", upgrade(later))


def test_other_decisions_hand_nothing_over(governed: Campus) -> None:
    number = approved(governed, actions.upgrade("registry", NEW_HASH))
    governed.chain.advance(TIME_LOCK_S)
    governed.chain.fails("WrongAction", governance.change_upgrade_authority(number, "registry", None))


def test_the_clock_of_these_tests_stands_still(governed: Campus) -> None:
    assert governed.chain.now == START + 60
