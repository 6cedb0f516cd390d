"""Holdings are sliced, change hands, and are used up: by their holder alone, and never more than there is."""

import pytest
from solders.keypair import Keypair
from solders.pubkey import Pubkey

from hub.chain import pdas
from support.programs.certified import Certified, MeterEnergy
from support.programs.market_chain import Exchange
from support.programs.refusals import check_forgeries_are_refused
from support.programs.svm import START, assert_in_use, swapped, unsigned

MOST = 2**64 - 1


@pytest.fixture
def certified(exchange: Exchange) -> Certified:
    """Two roofs, attested; Ann's has 1,000 Wh, Bob's 700."""
    found = Certified(exchange)
    for meter_id, owner in (("ROOF_1", "ann"), ("ROOF_2", "bob")):
        found.meter(meter_id, owner)
    found.attest(START, {"ROOF_1": MeterEnergy(export_wh=1_000), "ROOF_2": MeterEnergy(export_wh=700)})
    return found


@pytest.fixture
def ann(certified: Certified) -> Keypair:
    return certified.owners["ROOF_1"]


@pytest.fixture
def bob(certified: Certified) -> Keypair:
    return certified.owners["ROOF_2"]


@pytest.fixture
def made(certified: Certified) -> Pubkey:
    """Ann's certificate."""
    return certified.issued("ROOF_1", START)


def test_a_slice_becomes_a_holding(certified: Certified, ann: Keypair, made: Pubkey) -> None:
    chain = certified.campus.chain
    event = chain.ok(certified.cut(ann, made, 0, 300), signers=[ann]).event("CertificateSliced")
    told = (event.certificate, event.holding, event.part, event.holder, event.remaining_wh, event.part_wh)
    addresses = (pdas.certificate_holding(made, 0), pdas.certificate_holding(made, 1))
    assert told == (made, *addresses, ann.pubkey(), 700, 300)
    chain.ok(certified.cut(ann, made, 1, 299), signers=[ann])
    assert [certified.holding(made, number).wh for number in range(3)] == [700, 1, 299]
    certified.check(made)


@pytest.mark.parametrize("wh", [0, 1_000, 1_001, MOST])
def test_a_slice_leaves_something_on_both_sides(certified: Certified, ann: Keypair, made: Pubkey, wh: int) -> None:
    certified.campus.chain.fails("InvalidSlice", certified.cut(ann, made, 0, wh), signers=[ann])
    certified.check(made)


@pytest.mark.parametrize("wh", [1, 999])
def test_a_slice_may_be_as_small_as_a_wh(certified: Certified, ann: Keypair, made: Pubkey, wh: int) -> None:
    certified.campus.chain.ok(certified.cut(ann, made, 0, wh), signers=[ann])
    certified.check(made)


def test_a_holding_changes_hands(certified: Certified, ann: Keypair, bob: Keypair, made: Pubkey) -> None:
    chain, ix = certified.campus.chain, certified.transfer(ann, made, 0, bob.pubkey(), 1_000)
    event = chain.ok(ix, signers=[ann]).event("CertificateTransferred")
    told = (event.certificate, event.holding, event.former_holder, event.holder, event.wh)
    assert told == (made, pdas.certificate_holding(made, 0), ann.pubkey(), bob.pubkey(), 1_000)
    assert certified.holding(made, 0).holder == bob.pubkey()
    chain.fails("NotHolder", ix, signers=[ann])
    for late in (certified.cut(ann, made, 0, 1), certified.cancel(ann, made, 0)):
        chain.fails("NotHolder", late, signers=[ann])
    chain.ok(certified.cancel(bob, made, 0), signers=[bob])
    certified.check(made)


def test_a_transfer_is_of_what_was_agreed_on(certified: Certified, ann: Keypair, bob: Keypair, made: Pubkey) -> None:
    chain = certified.campus.chain
    agreed = certified.transfer(ann, made, 0, bob.pubkey(), 1_000)
    chain.ok(certified.cut(ann, made, 0, 999), signers=[ann])
    chain.fails("WrongAmount", agreed, signers=[ann])
    for wh in (0, 2, MOST):
        chain.fails("WrongAmount", certified.transfer(ann, made, 0, bob.pubkey(), wh), signers=[ann])
    for nobody in (ann.pubkey(), Pubkey.default()):
        chain.fails("InvalidHolder", certified.transfer(ann, made, 0, nobody, 1), signers=[ann])
    chain.ok(certified.transfer(ann, made, 0, bob.pubkey(), 1), signers=[ann])
    certified.check(made)


def test_a_cancelled_holding_never_moves(certified: Certified, ann: Keypair, bob: Keypair, made: Pubkey) -> None:
    chain, holding = certified.campus.chain, pdas.certificate_holding(made, 0)
    ix = certified.cancel(ann, made, 0)
    event = chain.ok(ix, signers=[ann]).event("CertificateCancelled")
    told = (event.certificate, event.holding, event.holder, event.wh, event.beneficiary, event.purpose)
    assert told == (made, holding, ann.pubkey(), 1_000, "university library", "electricity of 2025")
    stated = chain.account("energy_token", pdas.cancellation(holding))
    assert (stated.holding, stated.cancelled_at_s) == (holding, chain.now)
    assert (stated.beneficiary, stated.purpose) == ("university library", "electricity of 2025")
    moves = (
        ix,
        certified.cancel(ann, made, 0, beneficiary="somebody else"),
        certified.cut(ann, made, 0, 1),
        certified.transfer(ann, made, 0, bob.pubkey(), 1_000),
    )
    for move in moves:
        outcome = chain.send(move, signers=[ann])
        assert outcome.error == "Cancelled" or any("already in use" in line for line in outcome.logs), outcome.logs
    assert certified.holding(made, 0).holder == ann.pubkey()
    assert certified.certificate("ROOF_1", START).cancelled_wh == 1_000
    certified.check(made)


def test_a_cancelled_part_leaves_the_rest_free(certified: Certified, ann: Keypair, bob: Keypair, made: Pubkey) -> None:
    chain = certified.campus.chain
    chain.ok(certified.cut(ann, made, 0, 300), certified.cancel(ann, made, 1), signers=[ann])
    chain.ok(certified.transfer(ann, made, 0, bob.pubkey(), 700), signers=[ann])
    chain.ok(certified.cancel(bob, made, 0, beneficiary="x", purpose="y" * 64), signers=[bob])
    assert certified.certificate("ROOF_1", START).cancelled_wh == 1_000
    certified.check(made)


@pytest.mark.parametrize("words", ["", "a" * 65, "two\nlines", "€" * 22, "x" * 400])
def test_a_cancellation_says_for_whom_and_why(certified: Certified, ann: Keypair, made: Pubkey, words: str) -> None:
    chain = certified.campus.chain
    for ix in (certified.cancel(ann, made, 0, beneficiary=words), certified.cancel(ann, made, 0, purpose=words)):
        chain.fails("InvalidStatement", ix, signers=[ann])
    certified.check(made)


def test_a_stranger_and_a_missing_signature_move_nothing(certified: Certified, ann: Keypair, made: Pubkey) -> None:
    chain, eve = certified.campus.chain, certified.campus.chain.key("eve")
    calls = (
        certified.cut(ann, made, 0, 300),
        certified.transfer(ann, made, 0, eve.pubkey(), 1_000),
        certified.cancel(ann, made, 0),
    )
    for ix in calls:
        chain.fails("AccountNotSigner", unsigned(ix, ann.pubkey()))
        chain.fails("NotHolder", swapped(ix, ann.pubkey(), eve.pubkey()), signers=[eve])
        body = certified.body
        chain.fails("NotHolder", swapped(ix, ann.pubkey(), body.pubkey()), signers=[body])
    certified.check(made)


def test_a_holding_belongs_to_its_certificate(certified: Certified, ann: Keypair, bob: Keypair, made: Pubkey) -> None:
    chain, other = certified.campus.chain, certified.issued("ROOF_2", START)
    chain.ok(certified.transfer(bob, other, 0, ann.pubkey(), 700), signers=[bob])
    mine, foreign = pdas.certificate_holding(made, 0), pdas.certificate_holding(other, 0)
    for ix in (certified.cut(ann, made, 0, 300), certified.cancel(ann, made, 0)):
        assert chain.send(swapped(ix, made, other), signers=[ann]).error in {"WrongCertificate", "ConstraintSeeds"}
    chain.fails("WrongCertificate", swapped(certified.cut(ann, made, 0, 300), mine, foreign), signers=[ann])
    cancelled = pdas.cancellation(mine)
    theirs = swapped(certified.cancel(ann, other, 0), other, made)
    chain.fails("WrongCertificate", theirs, signers=[ann])
    chain.fails(
        "ConstraintSeeds",
        swapped(certified.cancel(ann, made, 0), cancelled, pdas.cancellation(foreign)),
        signers=[ann],
    )
    for one in (made, other):
        certified.check(one)


def test_a_slice_takes_the_next_number_only(certified: Certified, ann: Keypair, made: Pubkey) -> None:
    chain, first = certified.campus.chain, certified.cut(ann, made, 0, 300)
    chain.ok(first, signers=[ann])
    outcome = chain.send(first, signers=[ann])
    assert outcome.error == "ConstraintSeeds"
    for number in (0, 3, 2**32 - 1):
        wrong = swapped(
            certified.cut(ann, made, 0, 300),
            pdas.certificate_holding(made, 2),
            pdas.certificate_holding(made, number),
        )
        assert chain.send(wrong, signers=[ann]).error is not None
    certified.check(made)


def test_a_forged_holding_or_certificate_is_refused(certified: Certified, ann: Keypair, made: Pubkey) -> None:
    chain, holding = certified.campus.chain, pdas.certificate_holding(made, 0)
    forged = chain.key("forged").pubkey()
    calls = (
        (certified.cut(ann, made, 0, 300), (made, holding)),
        (certified.cancel(ann, made, 0), (made, holding)),
        (certified.transfer(ann, made, 0, forged, 1_000), (holding,)),
    )
    for ix, places in calls:
        for address in places:
            check_forgeries_are_refused(chain, ix, "energy_token", address, signers=[ann])
    certified.check(made)


def test_a_strangers_lamports_stop_neither_slice_nor_cancellation(
    certified: Certified, ann: Keypair, made: Pubkey
) -> None:
    chain = certified.campus.chain
    chain.drop_lamports_at(pdas.certificate_holding(made, 1))
    chain.drop_lamports_at(pdas.cancellation(pdas.certificate_holding(made, 0)))
    chain.ok(certified.cut(ann, made, 0, 300), signers=[ann])
    chain.ok(certified.cancel(ann, made, 0), signers=[ann])
    assert_in_use(chain.send(certified.issue("ROOF_1", START), signers=[certified.body]))
    certified.check(made)
