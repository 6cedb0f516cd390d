"""Oracle: governance names other attestors, who accept, for intervals that are still to come."""

import pytest
from solders.keypair import Keypair

from hub.chain.instructions import actions, governance, oracle
from support.programs.campus_chain import INTERVAL_S, ORACLE, PARAMS, REGISTRY, TIME_LOCK_S, Campus, proposal_address
from support.programs.decisions import DAY_S, approved, execute, executed, new_attestors, propose, proposed
from support.programs.svm import START, swapped, unsigned

FROM = START + 3 * DAY_S
TAKEOVER_S = 73 * 3600
"""Shorter than corrections reach: lost keys shall leave no interval open for 40 days, and stolen ones end."""


def decided(campus: Campus, keys: list[Keypair], threshold: int = 2, from_s: int = FROM) -> int:
    """A decision of governance on attestors, executed."""
    action = actions.change_attestors([key.pubkey() for key in keys], threshold, from_s)
    return executed(campus, action, wait_s=0)


def adopted(campus: Campus, from_s: int = FROM) -> list[Keypair]:
    """New attestors, decided and accepted."""
    keys = new_attestors(campus)
    number = decided(campus, keys, from_s=from_s)
    campus.chain.ok(oracle.adopt_attestors(number, [key.pubkey() for key in keys]), signers=keys)
    return keys


def test_a_decided_set_attests_from_its_interval_on(campus: Campus) -> None:
    chain, keys = campus.chain, new_attestors(campus)
    number = decided(campus, keys)
    outcome = chain.ok(oracle.adopt_attestors(number, [key.pubkey() for key in keys]), signers=keys)
    assert outcome.event("AttestorsAdopted").effective_from_s == FROM
    config = chain.account("oracle", ORACLE)
    assert list(config.attestors) == [key.pubkey() for key in campus.attestors]
    assert list(config.next.attestors) == [key.pubkey() for key in keys]
    chain.set_time(FROM + INTERVAL_S)
    before = FROM - INTERVAL_S
    chain.fails("NotAttestor", campus.attest(before, signers=keys), signers=keys)
    chain.ok(campus.attest(before), signers=campus.attestors[:2])
    chain.fails("NotAttestor", campus.attest(FROM), signers=campus.attestors[:2])
    chain.fails("NotEnoughAttestors", campus.attest(FROM, signers=keys[:1]), signers=keys[:1])
    chain.ok(campus.attest(FROM, signers=keys), signers=keys)


def test_older_intervals_stay_with_the_older_set_until_the_takeover(campus: Campus) -> None:
    chain, keys, before = campus.chain, adopted(campus), FROM - INTERVAL_S
    campus.attested(before)
    chain.set_time(FROM + TAKEOVER_S)
    correction = campus.attest(before, revision=2, previous=1, signers=keys)
    chain.fails("NotAttestor", correction, signers=keys)
    chain.ok(campus.attest(before, revision=2, previous=1), signers=campus.attestors[:2])


def test_what_the_older_set_has_left_the_new_one_attests(campus: Campus) -> None:
    chain, keys, before = campus.chain, adopted(campus), FROM - INTERVAL_S
    chain.set_time(FROM + TAKEOVER_S + 1)
    chain.fails("NotAttestor", campus.attest(before), signers=campus.attestors[:2])
    chain.ok(campus.attest(before, signers=keys), signers=keys)


def test_after_the_takeover_the_new_set_corrects_what_the_older_one_attested(campus: Campus) -> None:
    chain, keys, before = campus.chain, adopted(campus), FROM - INTERVAL_S
    campus.attested(before)
    chain.set_time(FROM + TAKEOVER_S + 1)
    stolen = campus.attest(before, revision=2, previous=1)
    chain.fails("NotAttestor", stolen, signers=campus.attestors[:2])
    chain.set_time(FROM + 40 * DAY_S)
    chain.ok(campus.attest(before, revision=2, previous=1, signers=keys), signers=keys)


def test_enough_of_the_new_set_must_sign(campus: Campus) -> None:
    chain, keys, stranger = campus.chain, new_attestors(campus), campus.chain.key("stranger")
    number, (first, second) = decided(campus, keys), keys
    for error, signers in (
        ("NotEnoughAttestors", []),
        ("NotEnoughAttestors", [first]),
        ("DuplicateAttestor", [first, first]),
        ("NotAttestor", [first, stranger]),
        ("NotAttestor", [first, second, stranger]),
        ("NotAttestor", campus.attestors[:2]),
    ):
        ix = oracle.adopt_attestors(number, [key.pubkey() for key in signers])
        chain.fails(error, ix, signers=signers)
    ix = oracle.adopt_attestors(number, [first.pubkey(), second.pubkey()])
    chain.fails("NotAttestor", unsigned(ix, second.pubkey()), signers=[first])
    assert chain.account("oracle", ORACLE).next is None


def test_only_an_executed_decision_on_attestors_counts(campus: Campus) -> None:
    chain, keys = campus.chain, new_attestors(campus)
    signers = [key.pubkey() for key in keys]
    action = actions.change_attestors(signers, 2, FROM)
    alone, both = proposed(campus, action), approved(campus, action)
    pause = executed(campus, actions.set_pause(paused=False), wait_s=0)
    for number in (alone, both, pause):
        chain.fails("NotDecided", oracle.adopt_attestors(number, signers), signers=keys)
    assert execute(campus, alone).error == "NotEnoughApprovals"
    ix = oracle.adopt_attestors(both, signers)
    chain.fails("AccountDiscriminatorMismatch", swapped(ix, proposal_address(both), PARAMS), signers=keys)
    chain.fails("AccountOwnedByWrongProgram", swapped(ix, proposal_address(both), REGISTRY), signers=keys)
    chain.fails("AccountOwnedByWrongProgram", swapped(ix, ORACLE, REGISTRY), signers=keys)


def test_they_begin_outside_the_time_lock(campus: Campus) -> None:
    keys, chain = [key.pubkey() for key in new_attestors(campus)], campus.chain
    soonest = chain.now + TIME_LOCK_S
    for from_s in (-(2**63), 0, soonest - 1, soonest + 366 * DAY_S + 1, 2**63 - 1):
        number = approved(campus, actions.change_attestors(keys, 1, from_s))
        assert execute(campus, number).error == "InvalidBeginning"
    chain.ok(governance.execute(approved(campus, actions.change_attestors(keys, 1, soonest))))


def test_they_begin_with_an_interval_that_is_still_to_come(campus: Campus) -> None:
    chain, keys = campus.chain, new_attestors(campus)
    signers = [key.pubkey() for key in keys]
    crooked = decided(campus, keys, from_s=FROM + 1)
    chain.fails("NotAligned", oracle.adopt_attestors(crooked, signers), signers=keys)
    number = decided(campus, keys)
    chain.set_time(FROM)
    chain.fails("TooLateToAdopt", oracle.adopt_attestors(number, signers), signers=keys)
    chain.set_time(FROM - 1)
    chain.ok(oracle.adopt_attestors(number, signers), signers=keys)


def test_a_decision_lapses(campus: Campus) -> None:
    chain, keys = campus.chain, new_attestors(campus)
    number = decided(campus, keys, from_s=START + 30 * DAY_S)
    ix = oracle.adopt_attestors(number, [key.pubkey() for key in keys])
    chain.advance(14 * DAY_S + 1)
    chain.fails("NotDecided", ix, signers=keys)
    chain.advance(-1)
    chain.ok(ix, signers=keys)


def test_a_decision_is_adopted_once_and_no_older_one_after_it(campus: Campus) -> None:
    chain, keys = campus.chain, new_attestors(campus)
    signers = [key.pubkey() for key in keys]
    older, newer = decided(campus, keys), decided(campus, keys, threshold=1, from_s=FROM + INTERVAL_S)
    chain.ok(oracle.adopt_attestors(newer, signers), signers=keys)
    for number in (older, newer):
        chain.fails("DecisionOvertaken", oracle.adopt_attestors(number, signers), signers=keys)
    assert chain.account("oracle", ORACLE).next.threshold == 1


def test_a_set_that_has_begun_is_not_replaced_before_it_has_taken_over(campus: Campus) -> None:
    chain, keys = campus.chain, adopted(campus)
    signers = [key.pubkey() for key in keys]
    chain.set_time(FROM)
    second = decided(campus, keys, threshold=1, from_s=FROM + 7 * DAY_S)
    ix = oracle.adopt_attestors(second, signers)
    chain.set_time(FROM + TAKEOVER_S)
    chain.fails("AttestorsChanging", ix, signers=keys)
    chain.advance(1)
    chain.ok(ix, signers=keys)
    config = chain.account("oracle", ORACLE)
    assert (list(config.attestors), config.threshold, config.next.threshold) == (signers, 2, 1)


@pytest.mark.parametrize(("count", "threshold"), [(0, 0), (0, 1), (2, 0), (2, 3), (6, 1), (2, 255)])
def test_unsound_sets_are_not_proposed(campus: Campus, count: int, threshold: int) -> None:
    keys = [attestor.pubkey() for attestor in new_attestors(campus, count)]
    ix = propose(campus, actions.change_attestors(keys, threshold, FROM))
    campus.chain.fails("InvalidAttestors", ix, signers=[campus.validator])


def test_a_key_stands_once_in_a_set(campus: Campus) -> None:
    key = campus.chain.key("new attestor 1").pubkey()
    ix = propose(campus, actions.change_attestors([key, key], 1, FROM))
    campus.chain.fails("InvalidAttestors", ix, signers=[campus.validator])
