"""Governance: participants vote on a proposal, one participant one vote, as advice or as the decision."""

import hashlib

import pytest
from solders.keypair import Keypair

from hub.chain import pdas
from hub.chain.instructions import actions, governance, registry
from hub.chain.instructions.governance import Rates
from support.programs.campus_chain import (
    AUTHORITY,
    ORACLE,
    PARAMS,
    PAUSE,
    REGISTRY,
    TIME_LOCK_S,
    Campus,
    proposal_address,
)
from support.programs.decisions import DAY_S, approved, execute, executed, propose, proposed
from support.programs.svm import assert_in_use, swapped, unsigned

WEEK_S = 7 * DAY_S
TEXT = actions.resolve(hashlib.sha256(b"more trees").digest())
VOTERS = 5


@pytest.fixture
def electorate(campus: Campus) -> Campus:
    """Five participants, registered a minute ago; votes advise, and need a fifth of all."""
    chain = campus.chain
    for voter in voters(campus):
        campus.add_participant(voter)
    chain.advance(60)
    return campus


@pytest.fixture
def sovereign(electorate: Campus) -> Campus:
    """The same, where votes bind and need 60 percent."""
    executed(electorate, actions.set_vote_rules(binding=True, quorum_percent=60, duration_s=WEEK_S))
    return electorate


def voters(campus: Campus) -> list[Keypair]:
    return [campus.chain.key(f"voter {number}") for number in range(VOTERS)]


def put(campus: Campus, number: int) -> None:
    """The proposer asks the participants."""
    chain, member = campus.chain, campus.validator
    chain.ok(governance.put_to_vote(member.pubkey(), number), signers=[member])


def asked(campus: Campus, action: object = TEXT) -> int:
    """A proposal of the validator alone, put to the vote."""
    number = proposed(campus, action)
    put(campus, number)
    return number


def vote(campus: Campus, number: int, votes: str) -> None:
    """The first participants vote, `y` or `n` each."""
    for voter, choice in zip(voters(campus), votes, strict=False):
        ix = governance.cast_vote(campus.chain.payer.pubkey(), voter.pubkey(), number, yes=choice == "y")
        campus.chain.ok(ix, signers=[voter])


def new_rates(campus: Campus, from_now_s: int) -> Rates:
    return Rates(campus.chain.now + from_now_s, 120, 25, 5, 2_200, 5_000)


def test_a_vote_counts_everybody_once(electorate: Campus) -> None:
    chain, number = electorate.chain, asked(electorate)
    vote(electorate, number, "yny")
    poll = chain.account("governance", proposal_address(number)).poll
    assert (poll.yes_votes, poll.no_votes, poll.eligible_voters, poll.binding) == (2, 1, VOTERS, False)
    assert (poll.opened_at_s, poll.ends_at_s) == (chain.now, chain.now + WEEK_S)
    voter = voters(electorate)[0]
    cast = chain.account("governance", pdas.governance_vote(number, voter.pubkey()))
    assert (cast.proposal_index, cast.wallet, cast.yes, cast.voted_at_s) == (number, voter.pubkey(), True, chain.now)
    for yes in (True, False):
        again = governance.cast_vote(chain.payer.pubkey(), voter.pubkey(), number, yes=yes)
        assert_in_use(chain.send(again, signers=[voter]))
    last = governance.cast_vote(chain.payer.pubkey(), voters(electorate)[3].pubkey(), number, yes=False)
    event = chain.ok(last, signers=[voters(electorate)[3]]).event("Voted")
    assert (event.yes, event.yes_votes, event.no_votes) == (False, 2, 2)


def test_advice_leaves_the_decision_to_the_members(electorate: Campus) -> None:
    chain, cosigner = electorate.chain, electorate.cosigners[0]
    number = asked(electorate)
    vote(electorate, number, "nnnnn")
    chain.advance(WEEK_S)
    assert execute(electorate, number).error == "NotEnoughApprovals"
    chain.ok(governance.approve(cosigner.pubkey(), number), signers=[cosigner])
    assert execute(electorate, number).error is None


def test_nothing_is_carried_out_before_the_vote_ends(electorate: Campus) -> None:
    number = approved(electorate, TEXT)
    put(electorate, number)
    electorate.chain.advance(WEEK_S - 1)
    assert execute(electorate, number).error == "VoteOpen"
    electorate.chain.advance(1)
    assert execute(electorate, number).error is None


@pytest.mark.parametrize(
    ("votes", "error"),
    [("yyy", None), ("yyyyy", None), ("yyn", None), ("yy", "VotedDown"), ("yynn", "VotedDown"), ("", "VotedDown")],
)
def test_a_binding_vote_decides_with_quorum_and_majority(sovereign: Campus, votes: str, error: str | None) -> None:
    number = asked(sovereign)
    vote(sovereign, number, votes)
    sovereign.chain.advance(WEEK_S)
    assert execute(sovereign, number).error == error


def test_members_do_not_overrule_a_binding_vote(sovereign: Campus) -> None:
    chain, number = sovereign.chain, asked(sovereign)
    for cosigner in sovereign.cosigners:
        chain.ok(governance.approve(cosigner.pubkey(), number), signers=[cosigner])
    vote(sovereign, number, "nnn")
    chain.advance(WEEK_S)
    assert execute(sovereign, number).error == "VotedDown"


def test_members_cannot_void_a_binding_vote_by_changing_their_set(sovereign: Campus) -> None:
    chain, first = sovereign.chain, sovereign.validator
    change = approved(sovereign, actions.change_authority(first.pubkey(), [first.pubkey()], 1))
    number = asked(sovereign)
    vote(sovereign, number, "yyy")
    chain.advance(WEEK_S)
    chain.ok(governance.accept_authority(change, [first.pubkey()]), signers=[first])
    assert execute(sovereign, number).error is None


def test_the_rules_of_a_votes_beginning_hold_to_its_end(sovereign: Campus) -> None:
    rules = approved(sovereign, actions.set_vote_rules(binding=False, quorum_percent=1, duration_s=DAY_S))
    number = asked(sovereign)
    sovereign.chain.advance(TIME_LOCK_S)
    assert execute(sovereign, rules).error is None
    vote(sovereign, number, "yy")
    sovereign.chain.advance(WEEK_S)
    assert execute(sovereign, number).error == "VotedDown"


def test_rates_that_participants_decide_keep_the_time_lock(sovereign: Campus) -> None:
    chain = sovereign.chain
    early = asked(sovereign, actions.schedule_rates(new_rates(sovereign, WEEK_S + TIME_LOCK_S - 1)))
    late = asked(sovereign, actions.schedule_rates(new_rates(sovereign, WEEK_S + TIME_LOCK_S)))
    for number in (early, late):
        vote(sovereign, number, "yyyy")
    chain.advance(WEEK_S)
    assert execute(sovereign, early).error == "RatesTooSoon"
    assert execute(sovereign, late).error is None
    assert chain.account("governance", PARAMS).rate_sets[-1].wheeling_mills == 120


def test_vote_rules_that_participants_decide_keep_the_time_lock(sovereign: Campus) -> None:
    chain = sovereign.chain
    number = asked(sovereign, actions.set_vote_rules(binding=True, quorum_percent=80, duration_s=DAY_S))
    vote(sovereign, number, "yyyy")
    chain.advance(WEEK_S + TIME_LOCK_S - 1)
    assert execute(sovereign, number).error == "TimeLocked"
    chain.advance(1)
    assert execute(sovereign, number).error is None
    assert chain.account("governance", PARAMS).vote_rules.quorum_percent == 80


def test_a_decided_vote_lapses(sovereign: Campus) -> None:
    number = asked(sovereign)
    vote(sovereign, number, "yyy")
    sovereign.chain.advance(WEEK_S + 14 * DAY_S + 1)
    assert execute(sovereign, number).error == "ProposalExpired"


def test_whoever_is_no_active_participant_has_no_vote(electorate: Campus) -> None:
    chain, stranger = electorate.chain, electorate.chain.key("stranger")
    first, second, third = voters(electorate)[:3]
    status = registry.set_participant_status(electorate.registrar.pubkey(), second.pubkey(), "suspended")
    chain.ok(status, signers=[electorate.registrar])
    number, payer = asked(electorate), chain.payer.pubkey()
    assert chain.account("governance", proposal_address(number)).poll.eligible_voters == VOTERS - 1
    chain.fails("NotVoter", governance.cast_vote(payer, second.pubkey(), number, yes=True), signers=[second])
    strange = governance.cast_vote(payer, stranger.pubkey(), number, yes=True)
    chain.fails("AccountNotInitialized", strange, signers=[stranger])
    borrowed = swapped(strange, pdas.participant(stranger.pubkey()), pdas.participant(first.pubkey()))
    chain.fails("NotVoter", borrowed, signers=[stranger])
    ix = governance.cast_vote(payer, third.pubkey(), number, yes=True)
    chain.fails("AccountNotSigner", unsigned(ix, third.pubkey()))
    own = pdas.participant(third.pubkey())
    chain.fails("AccountDiscriminatorMismatch", swapped(ix, own, REGISTRY), signers=[third])
    chain.fails("AccountOwnedByWrongProgram", swapped(ix, own, ORACLE), signers=[third])
    elsewhere = swapped(ix, pdas.governance_vote(number, third.pubkey()), pdas.governance_vote(9, third.pubkey()))
    chain.fails("ConstraintSeeds", elsewhere, signers=[third])


def test_a_vote_has_a_beginning_and_an_end(electorate: Campus) -> None:
    chain, (first, second), latecomer = electorate.chain, voters(electorate)[:2], electorate.chain.key("latecomer")
    number, payer = proposed(electorate, TEXT), chain.payer.pubkey()
    ix = governance.cast_vote(payer, first.pubkey(), number, yes=True)
    chain.fails("NoVote", ix, signers=[first])
    put(electorate, number)
    electorate.add_participant(latecomer)
    late = governance.cast_vote(payer, latecomer.pubkey(), number, yes=True)
    chain.fails("RegisteredTooLate", late, signers=[latecomer])
    chain.advance(WEEK_S - 1)
    chain.ok(ix, signers=[first])
    chain.advance(1)
    other = governance.cast_vote(payer, second.pubkey(), number, yes=True)
    chain.fails("VoteOver", other, signers=[second])


def test_a_closed_proposal_takes_no_votes(electorate: Campus) -> None:
    number, voter = executed(electorate, TEXT, wait_s=0), voters(electorate)[0]
    ix = governance.cast_vote(electorate.chain.payer.pubkey(), voter.pubkey(), number, yes=True)
    electorate.chain.fails("ProposalClosed", ix, signers=[voter])


def test_only_the_proposer_asks_and_only_once(electorate: Campus) -> None:
    chain, cosigner, stranger = electorate.chain, electorate.cosigners[0], electorate.chain.key("stranger")
    number = proposed(electorate, TEXT)
    ix = governance.put_to_vote(electorate.validator.pubkey(), number)
    chain.fails("NotProposer", governance.put_to_vote(cosigner.pubkey(), number), signers=[cosigner])
    chain.fails("NotMember", governance.put_to_vote(stranger.pubkey(), number), signers=[stranger])
    chain.fails("AccountNotSigner", unsigned(ix, electorate.validator.pubkey()))
    for account, wrong in ((AUTHORITY, PARAMS), (PARAMS, PAUSE), (proposal_address(number), PARAMS)):
        chain.fails("AccountDiscriminatorMismatch", swapped(ix, account, wrong), signers=[electorate.validator])
    chain.fails("AccountOwnedByWrongProgram", swapped(ix, REGISTRY, ORACLE), signers=[electorate.validator])
    participant = pdas.participant(voters(electorate)[0].pubkey())
    chain.fails("AccountDiscriminatorMismatch", swapped(ix, REGISTRY, participant), signers=[electorate.validator])
    chain.ok(ix, signers=[electorate.validator])
    chain.fails("VoteBegun", ix, signers=[electorate.validator])


def test_participants_are_asked_about_rates_votes_and_texts_only(electorate: Campus) -> None:
    chain, key = electorate.chain, electorate.validator.pubkey()
    for action in (
        actions.set_pause(paused=True),
        actions.set_time_lock(90 * DAY_S),
        actions.change_authority(key, [key], 1),
        actions.change_registrar(key),
        actions.change_attestors([key], 1, chain.now),
        actions.upgrade("registry", bytes(32)),
        actions.change_upgrade_authority("registry", None),
        actions.reassign_meter("METER_001", key),
    ):
        number = proposed(electorate, action)
        chain.fails("NotVotable", governance.put_to_vote(key, number), signers=[electorate.validator])


def test_a_campus_without_participants_has_nobody_to_ask(campus: Campus) -> None:
    number = proposed(campus, TEXT)
    ix = governance.put_to_vote(campus.validator.pubkey(), number)
    campus.chain.fails("NoVoters", ix, signers=[campus.validator])


@pytest.mark.parametrize(
    ("quorum", "duration_s"), [(0, DAY_S), (101, DAY_S), (255, DAY_S), (1, DAY_S - 1), (1, 30 * DAY_S + 1), (1, -1)]
)
def test_vote_rules_have_limits(campus: Campus, quorum: int, duration_s: int) -> None:
    ix = propose(campus, actions.set_vote_rules(binding=True, quorum_percent=quorum, duration_s=duration_s))
    campus.chain.fails("InvalidVoteRules", ix, signers=[campus.validator])
