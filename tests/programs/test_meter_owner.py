"""Registry: a meter changes hands with both wallets' signatures or by governance; governance names the registrar."""

import pytest

from hub.chain import pdas
from hub.chain.instructions import actions, governance, registry
from support.programs.campus_chain import PARAMS, REGISTRY, TIME_LOCK_S, Campus, proposal_address
from support.programs.decisions import DAY_S, approved, execute, executed, propose, proposed
from support.programs.registered import METER_ID, NORTH, anna, ben, registered_campus
from support.programs.svm import swapped, unsigned

METER = pdas.meter(METER_ID)


@pytest.fixture
def campus() -> Campus:
    return registered_campus()


def owner(campus: Campus) -> object:
    return campus.chain.account("registry", METER).owner


def test_both_wallets_give_and_take_a_meter(campus: Campus) -> None:
    chain, (old, new) = campus.chain, (anna(campus), ben(campus))
    ix = registry.transfer_meter(old.pubkey(), new.pubkey(), METER_ID)
    for one, other in ((old, new), (new, old)):
        chain.fails("AccountNotSigner", unsigned(ix, one.pubkey()), signers=[other])
    assert owner(campus) == old.pubkey()
    event = chain.ok(ix, signers=[old, new]).event("MeterOwnerChanged")
    assert (event.meter, event.old_owner, event.new_owner) == (METER, old.pubkey(), new.pubkey())
    meter = chain.account("registry", METER)
    assert (meter.owner, meter.since_s) == (new.pubkey(), chain.now)
    chain.fails("NotOwner", ix, signers=[old, new])


def test_nobody_else_gives_a_meter_away(campus: Campus) -> None:
    chain, (old, new), stranger = campus.chain, (anna(campus), ben(campus)), campus.chain.key("stranger")
    ix = registry.transfer_meter(old.pubkey(), new.pubkey(), METER_ID)
    for thief in (stranger, campus.registrar):
        as_thief = swapped(ix, old.pubkey(), thief.pubkey())
        chain.fails("WrongParticipant", as_thief, signers=[thief, new])
    thieving = registry.transfer_meter(new.pubkey(), old.pubkey(), METER_ID)
    chain.fails("NotOwner", thieving, signers=[old, new])
    chain.fails("OwnerUnchanged", registry.transfer_meter(old.pubkey(), old.pubkey(), METER_ID), signers=[old])
    unknown = registry.transfer_meter(old.pubkey(), stranger.pubkey(), METER_ID)
    chain.fails("AccountNotInitialized", unknown, signers=[old, stranger])


def test_participants_accounts_are_the_wallets_own(campus: Campus) -> None:
    chain, (old, new) = campus.chain, (anna(campus), ben(campus))
    ix, signers = registry.transfer_meter(old.pubkey(), new.pubkey(), METER_ID), [old, new]
    olds, news = pdas.participant(old.pubkey()), pdas.participant(new.pubkey())
    chain.fails("WrongParticipant", swapped(ix, olds, news), signers=signers)
    chain.fails("WrongParticipant", swapped(ix, news, olds), signers=signers)
    chain.fails("AccountDiscriminatorMismatch", swapped(ix, news, pdas.gateway(NORTH)), signers=signers)
    chain.fails("AccountDiscriminatorMismatch", swapped(ix, METER, news), signers=signers)


@pytest.mark.parametrize("suspended", ["old", "new", "meter"])
def test_whoever_is_suspended_neither_gives_nor_takes(campus: Campus, suspended: str) -> None:
    chain, (old, new), registrar = campus.chain, (anna(campus), ben(campus)), campus.registrar.pubkey()
    number = executed(campus, actions.reassign_meter(METER_ID, new.pubkey()))
    if suspended == "meter":
        ix = registry.set_meter_status(registrar, METER_ID, "suspended")
    else:
        wallet = {"old": old, "new": new}[suspended].pubkey()
        ix = registry.set_participant_status(registrar, wallet, "suspended")
    chain.ok(ix, signers=[campus.registrar])
    error = "MeterNotActive" if suspended == "meter" else "ParticipantNotActive"
    chain.fails(error, registry.transfer_meter(old.pubkey(), new.pubkey(), METER_ID), signers=[old, new])
    outcome = chain.send(registry.reassign_meter(number, METER_ID, new.pubkey()))
    assert outcome.error == (None if suspended == "old" else error)


def test_two_authorities_stand_in_for_the_owner(campus: Campus) -> None:
    chain, new = campus.chain, ben(campus).pubkey()
    number = approved(campus, actions.reassign_meter(METER_ID, new))
    ix = registry.reassign_meter(number, METER_ID, new)
    assert execute(campus, number).error == "TimeLocked"
    chain.fails("NotDecided", ix)
    chain.advance(TIME_LOCK_S)
    chain.ok(governance.execute(number))
    assert chain.ok(ix).event("MeterOwnerChanged").new_owner == new
    assert owner(campus) == new


def test_it_takes_two_even_where_one_decides_everything_else(campus: Campus) -> None:
    chain, (first, second) = campus.chain, (campus.validator, campus.cosigners[0])
    members = [first.pubkey(), second.pubkey()]
    number = approved(campus, actions.change_authority(first.pubkey(), members, 1))
    chain.advance(TIME_LOCK_S)
    chain.ok(governance.accept_authority(number, members[:1]), signers=[first])
    alone = proposed(campus, actions.reassign_meter(METER_ID, ben(campus).pubkey()))
    chain.advance(TIME_LOCK_S)
    assert execute(campus, alone).error == "NotEnoughApprovals"
    chain.ok(governance.approve(second.pubkey(), alone), signers=[second])
    chain.advance(TIME_LOCK_S)
    chain.ok(governance.execute(alone))


def test_a_decision_holds_for_its_meter_and_its_owner_only(campus: Campus) -> None:
    chain, (old, new) = campus.chain, (anna(campus).pubkey(), ben(campus).pubkey())
    chain.ok(campus.register_meter("METER_002", old, NORTH), signers=[campus.registrar])
    number = executed(campus, actions.reassign_meter(METER_ID, new))
    chain.fails("NotDecided", registry.reassign_meter(number, "METER_002", new))
    chain.fails("NotDecided", registry.reassign_meter(number, METER_ID, old))
    other = executed(campus, actions.change_registrar(new))
    chain.fails("NotDecided", registry.reassign_meter(other, METER_ID, new))
    ix = registry.reassign_meter(number, METER_ID, new)
    chain.fails("AccountDiscriminatorMismatch", swapped(ix, proposal_address(number), PARAMS))
    chain.fails("AccountOwnedByWrongProgram", swapped(ix, proposal_address(number), METER))


def test_a_decision_is_used_once_and_not_after_another_change(campus: Campus) -> None:
    chain, (old, new) = campus.chain, (anna(campus), ben(campus))
    number = executed(campus, actions.reassign_meter(METER_ID, new.pubkey()))
    ix = registry.reassign_meter(number, METER_ID, new.pubkey())
    chain.ok(ix)
    chain.ok(registry.transfer_meter(new.pubkey(), old.pubkey(), METER_ID), signers=[old, new])
    chain.fails("DecisionOvertaken", ix)
    assert owner(campus) == old.pubkey()


def test_a_decision_lapses(campus: Campus) -> None:
    new = ben(campus).pubkey()
    ix = registry.reassign_meter(executed(campus, actions.reassign_meter(METER_ID, new)), METER_ID, new)
    campus.chain.advance(14 * DAY_S + 1)
    campus.chain.fails("NotDecided", ix)


def test_a_decided_registrar_accepts_and_the_old_one_is_out(campus: Campus) -> None:
    chain, new, stranger = campus.chain, campus.chain.key("new registrar"), campus.chain.key("stranger")
    number = executed(campus, actions.change_registrar(new.pubkey()))
    ix = registry.adopt_registrar(number, new.pubkey())
    chain.fails("AccountNotSigner", unsigned(ix, new.pubkey()))
    for other in (stranger, campus.registrar):
        as_other = registry.adopt_registrar(number, other.pubkey())
        chain.fails("NotDecidedRegistrar", as_other, signers=[other])
    assert chain.ok(ix, signers=[new]).event("RegistrarAdopted").registrar == new.pubkey()
    chain.fails("NotRegistrar", campus.register_gateway("gw-west"), signers=[campus.registrar])
    by_new = swapped(campus.register_gateway("gw-west"), campus.registrar.pubkey(), new.pubkey())
    chain.ok(by_new, signers=[new])


def test_a_registrar_takes_over_once_and_no_older_decision_after_a_newer(campus: Campus) -> None:
    chain, first, second = campus.chain, campus.chain.key("registrar 1"), campus.chain.key("registrar 2")
    older = executed(campus, actions.change_registrar(first.pubkey()))
    newer = executed(campus, actions.change_registrar(second.pubkey()))
    chain.ok(registry.adopt_registrar(newer, second.pubkey()), signers=[second])
    for number, key in ((older, first), (newer, second)):
        ix = registry.adopt_registrar(number, key.pubkey())
        chain.fails("DecisionOvertaken", ix, signers=[key])
    assert chain.account("registry", REGISTRY).registrar == second.pubkey()


def test_a_registrar_is_decided_after_the_time_lock(campus: Campus) -> None:
    chain, new = campus.chain, campus.chain.key("new registrar")
    number = approved(campus, actions.change_registrar(new.pubkey()))
    chain.advance(TIME_LOCK_S - 1)
    assert execute(campus, number).error == "TimeLocked"
    chain.fails("NotDecided", registry.adopt_registrar(number, new.pubkey()), signers=[new])
    other = executed(campus, actions.set_pause(paused=False), wait_s=0)
    chain.fails("NotDecided", registry.adopt_registrar(other, new.pubkey()), signers=[new])


def test_zeros_are_nobodys_key(campus: Campus) -> None:
    zeros = type(anna(campus).pubkey()).default()
    for action in (actions.change_registrar(zeros), actions.reassign_meter(METER_ID, zeros)):
        campus.chain.fails("InvalidKey", propose(campus, action), signers=[campus.validator])
