"""Governance: who decides, how many it takes, and how soon a decision binds."""

import pytest
from solders.keypair import Keypair

from support.programs.campus_chain import (
    AUTHORITY,
    PARAMS,
    PAUSE,
    TIME_LOCK_S,
    Campus,
    proposal_address,
    rate_set,
    schedule_rates,
    set_pause,
)
from support.programs.decisions import DAY_S
from support.programs.refusals import check_only_the_upgrade_authority_founds
from support.programs.svm import assert_in_use, swapped, unsigned


def test_founding_writes_set_rates_and_switch(bare: Campus) -> None:
    chain = bare.chain
    outcome = chain.ok(bare.found_governance(), signers=[chain.upgrade_authority])
    authority = chain.account("governance", AUTHORITY)
    assert authority.rec_validator == bare.validator.pubkey()
    assert list(authority.members) == [member.pubkey() for member in bare.members]
    assert (authority.threshold, authority.set_index, authority.proposal_count) == (2, 0, 0)
    params = chain.account("governance", PARAMS)
    assert list(params.rate_sets) == [rate_set()]
    assert params.time_lock_s == TIME_LOCK_S
    assert chain.account("governance", PAUSE).paused is False
    assert outcome.event("AuthorityFounded").threshold == 2


def test_only_the_upgrade_authority_founds(bare: Campus) -> None:
    chain, ix = bare.chain, bare.found_governance()
    check_only_the_upgrade_authority_founds(chain, "governance", ix)
    chain.fails("AccountNotSigner", unsigned(ix, chain.upgrade_authority.pubkey()))


def test_it_is_founded_once(campus: Campus) -> None:
    outcome = campus.chain.send(campus.found_governance(), signers=[campus.chain.upgrade_authority])
    assert_in_use(outcome)


@pytest.mark.parametrize(
    ("changes", "error"),
    [
        ({"threshold": 0}, "InvalidThreshold"),
        ({"threshold": 4}, "InvalidThreshold"),
        ({"time_lock_s": TIME_LOCK_S - 1}, "InvalidTimeLock"),
        ({"time_lock_s": 90 * DAY_S + 1}, "InvalidTimeLock"),
        ({"time_lock_s": -1}, "InvalidTimeLock"),
        ({"members": []}, "InvalidMembers"),
        ({"rec_validator": Keypair().pubkey()}, "InvalidMembers"),
    ],
)
def test_bad_foundations_are_named(bare: Campus, changes: dict[str, object], error: str) -> None:
    bare.chain.fails(error, bare.found_governance(**changes), signers=[bare.chain.upgrade_authority])


def test_members_are_few_and_different(bare: Campus) -> None:
    chain, first = bare.chain, bare.validator.pubkey()
    crowd = [first, *(Keypair().pubkey() for _ in range(7))]
    for members in ([first, first], crowd):
        ix = bare.found_governance(members=members, threshold=1)
        chain.fails("InvalidMembers", ix, signers=[chain.upgrade_authority])
    most = bare.found_governance(members=crowd[:7], threshold=7)
    chain.ok(most, signers=[chain.upgrade_authority])


def test_first_rates_are_sound_and_in_force(bare: Campus) -> None:
    chain, signers = bare.chain, [bare.chain.upgrade_authority]
    chain.fails("FirstRatesInFuture", bare.found_governance(rate_set(chain.now + 1)), signers=signers)
    chain.fails("InvalidRates", bare.found_governance(rate_set(wheeling_mills=100_000_001)), signers=signers)
    chain.fails("InvalidRates", bare.found_governance(rate_set(export_tariff_mills=5001)), signers=signers)
    chain.fails("InvalidRates", bare.found_governance(rate_set(-1)), signers=signers)


def test_two_of_three_pause_and_resume(campus: Campus) -> None:
    chain = campus.chain
    outcome = campus.decide(set_pause(paused=True))
    assert outcome.event("PauseSet").paused is True
    assert chain.account("governance", PAUSE).since_s == chain.now
    chain.advance(60)
    assert campus.decide(set_pause(paused=False)).event("PauseSet").since_s == chain.now
    assert chain.account("governance", PAUSE).paused is False


def test_one_member_decides_nothing_and_a_stranger_not_even_that(campus: Campus) -> None:
    chain, stranger = campus.chain, campus.chain.key("stranger")
    chain.fails("NotMember", campus.propose(set_pause(paused=True), stranger), signers=[stranger])
    outcome = chain.ok(campus.propose(set_pause(paused=True)), signers=[campus.validator])
    assert outcome.event("Proposed").proposer == campus.validator.pubkey()
    chain.fails("NotEnoughApprovals", campus.execute(0))
    chain.fails("AlreadyApproved", campus.approve(0, campus.validator), signers=[campus.validator])
    chain.fails("NotMember", campus.approve(0, stranger), signers=[stranger])
    chain.fails("AccountNotSigner", unsigned(campus.approve(0, campus.cosigners[0]), campus.cosigners[0].pubkey()))
    assert chain.account("governance", PAUSE).paused is False


def test_an_executed_proposal_is_closed(campus: Campus) -> None:
    chain = campus.chain
    assert campus.decide(set_pause(paused=True)).error is None
    chain.fails("ProposalClosed", campus.execute(0))
    chain.fails("ProposalClosed", campus.approve(0, campus.cosigners[1]), signers=[campus.cosigners[1]])


def test_proposals_count_up_and_cannot_be_overwritten(campus: Campus) -> None:
    chain = campus.chain
    chain.ok(campus.propose(set_pause(paused=True)), signers=[campus.validator])
    for index in (0, 2):
        ix = campus.propose(set_pause(paused=False), index=index)
        chain.fails("ConstraintSeeds", ix, signers=[campus.validator])
    assert chain.account("governance", AUTHORITY).proposal_count == 1


def test_a_proposal_lapses_after_two_weeks(campus: Campus) -> None:
    chain, cosigner = campus.chain, campus.cosigners[0]
    chain.ok(campus.propose(set_pause(paused=True)), signers=[campus.validator])
    chain.advance(14 * DAY_S)
    chain.ok(campus.approve(0, cosigner), signers=[cosigner])
    chain.advance(1)
    chain.fails("ProposalExpired", campus.execute(0))


def test_an_older_decision_does_not_undo_a_newer_pause(campus: Campus) -> None:
    chain, cosigner = campus.chain, campus.cosigners[0]
    chain.ok(campus.propose(set_pause(paused=False)), signers=[campus.validator])
    chain.ok(campus.approve(0, cosigner), signers=[cosigner])
    campus.pause()
    chain.fails("ProposalOvertaken", campus.execute(0))
    assert chain.account("governance", PAUSE).paused is True


def test_rates_change_no_sooner_than_the_time_lock(campus: Campus) -> None:
    chain = campus.chain
    soonest = chain.now + TIME_LOCK_S
    assert campus.decide(schedule_rates(rate_set(soonest - 1))).error == "RatesTooSoon"
    outcome = campus.decide(schedule_rates(rate_set(soonest, wheeling_mills=120)))
    assert outcome.event("RatesScheduled").rates.wheeling_mills == 120
    chain.advance(1)
    assert campus.decide(schedule_rates(rate_set(soonest))).error == "RatesTooSoon"
    assert [rates.effective_from_s for rates in chain.account("governance", PARAMS).rate_sets] == [0, soonest]


def test_rates_in_the_far_future_stop_no_later_ones(campus: Campus) -> None:
    chain = campus.chain
    latest = chain.now + TIME_LOCK_S + 366 * DAY_S
    for late in (latest + 1, 2**63 - 1):
        assert campus.decide(schedule_rates(rate_set(late))).error == "RatesTooFar"
    assert campus.decide(schedule_rates(rate_set(latest))).error is None
    sooner = chain.now + TIME_LOCK_S
    assert campus.decide(schedule_rates(rate_set(sooner, wheeling_mills=120))).error is None
    assert [rates.effective_from_s for rates in chain.account("governance", PARAMS).rate_sets] == [0, sooner]


def test_a_later_decision_replaces_what_is_outside_the_time_lock(campus: Campus) -> None:
    chain = campus.chain
    first, second = chain.now + TIME_LOCK_S, chain.now + TIME_LOCK_S + DAY_S
    for at, mills in ((first, 110), (second, 120), (second, 130)):
        assert campus.decide(schedule_rates(rate_set(at, wheeling_mills=mills))).error is None
    scheduled = chain.account("governance", PARAMS).rate_sets[1:]
    assert [(rates.effective_from_s, rates.wheeling_mills) for rates in scheduled] == [(first, 110), (second, 130)]
    chain.advance(DAY_S + 1)
    assert campus.decide(schedule_rates(rate_set(second, wheeling_mills=140))).error == "RatesTooSoon"


def test_unsound_rates_cannot_be_proposed(campus: Campus) -> None:
    action = schedule_rates(rate_set(campus.chain.now + 3 * DAY_S, import_tariff_mills=2**32 - 1))
    campus.chain.fails("InvalidRates", campus.propose(action), signers=[campus.validator])


def test_scheduled_rates_are_bounded(campus: Campus) -> None:
    first = campus.chain.now + TIME_LOCK_S
    for number in range(7):
        assert campus.decide(schedule_rates(rate_set(first + number))).error is None
    assert campus.decide(schedule_rates(rate_set(first + 7))).error == "TooManyRates"


def test_accounts_of_the_same_program_do_not_stand_in_for_each_other(campus: Campus) -> None:
    chain, cosigner = campus.chain, campus.cosigners[0]
    chain.ok(campus.propose(set_pause(paused=True)), signers=[campus.validator])
    chain.ok(campus.approve(0, cosigner), signers=[cosigner])
    ix = campus.execute(0)
    for account, other in ((PARAMS, PAUSE), (PAUSE, PARAMS), (AUTHORITY, PARAMS), (proposal_address(0), PAUSE)):
        chain.fails("AccountDiscriminatorMismatch", swapped(ix, account, other))
    chain.fails("AccountOwnedByWrongProgram", swapped(ix, PARAMS, chain.payer.pubkey()))
