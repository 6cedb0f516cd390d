"""Certificates follow the revision in force; a later one with more export gives one further certificate."""

from solders.keypair import Keypair

from hub.chain import pdas
from hub.chain.instructions import registry
from support.programs.campus_chain import INTERVAL_S
from support.programs.certified import HOUR_S, OBJECTION_S, SETTLED_S, Certified
from support.programs.refusals import check_forgeries_are_refused
from support.programs.roofs import IN_FORCE, NEXT, Roofs
from support.programs.svm import START, assert_in_use, swapped


def test_a_later_revision_delays_nothing_and_is_in_force_when_it_has_stood(
    roofs: Roofs, certified: Certified, body: list[Keypair]
) -> None:
    chain = certified.campus.chain
    roofs.attest(1_200, revision=2)
    for revision in (3, 4):
        chain.advance(10 * HOUR_S)
        roofs.attest(1_200 + revision, revision=revision)
    chain.ok(certified.issue("ROOF_1", START), signers=body)
    chain.set_time(IN_FORCE + OBJECTION_S - 1)
    chain.fails("TooEarlyToIssue", certified.issue("ROOF_2", START, 2), signers=body)
    chain.advance(1)
    chain.fails("NotInForce", certified.issue("ROOF_2", START, 1), signers=body)
    chain.ok(certified.issue("ROOF_2", START, 2), signers=body)
    chain.set_time(IN_FORCE + OBJECTION_S + 20 * HOUR_S)
    for old in (2, 3):
        chain.fails("NotInForce", certified.issue("ROOF_1", START, old, number=1), signers=body)
    chain.ok(certified.issue("ROOF_1", START, 4, number=1), signers=body)
    assert roofs.wh(number=1) == (204, 0)
    roofs.check()


def test_a_revision_of_the_last_second_is_in_force_from_then_on(
    roofs: Roofs, certified: Certified, body: list[Keypair]
) -> None:
    """It was there 73 hours after the end, so the one before it is not certified while it has to stand."""
    chain, end_s = certified.campus.chain, START + 400 * INTERVAL_S + INTERVAL_S
    start_s = end_s - INTERVAL_S
    roofs.attest(1_000, start_s=start_s)
    chain.set_time(end_s + SETTLED_S - 1)
    roofs.attest(900, revision=2, start_s=start_s)
    chain.advance(1)
    chain.fails("NotInForce", certified.issue("ROOF_1", start_s, 1), signers=body)
    chain.fails("TooEarlyToIssue", certified.issue("ROOF_1", start_s, 2), signers=body)
    chain.advance(OBJECTION_S - 1)
    chain.ok(certified.issue("ROOF_1", start_s, 2), signers=body)
    assert roofs.wh(start_s=start_s) == (900, 0)


def test_more_export_gives_one_further_certificate(roofs: Roofs, certified: Certified, body: list[Keypair]) -> None:
    chain, ann = certified.campus.chain, certified.owners["ROOF_1"].pubkey()
    chain.ok(certified.issue("ROOF_1", START), signers=body)
    chain.fails("RevisionCounted", certified.issue("ROOF_1", START, number=1), signers=body)
    roofs.revise(1_250, 2)
    again = certified.issue("ROOF_1", START, 2)
    assert_in_use(chain.send(again, signers=body))
    event = chain.ok(certified.issue("ROOF_1", START, 2, number=1), signers=body).event("CertificateIssued")
    further = pdas.certificate("ROOF_1", START, 1)
    told = (event.certificate, event.producer, event.wh, event.revision, event.number)
    assert told == (further, ann, 250, 2, 1)
    found = certified.certificate("ROOF_1", START, 1)
    assert (found.number, found.revision, found.counted_wh, found.certificate_count) == (1, 2, 0, 0)
    holding = certified.holding(further, 0)
    assert (holding.holder, holding.wh) == (ann, 250)
    first = certified.certificate("ROOF_1", START)
    assert (first.face_value_wh, first.revision, first.counted_wh, first.counted_revision) == (1_000, 1, 1_250, 2)
    chain.fails("RevisionCounted", certified.issue("ROOF_1", START, 2, number=2), signers=body)
    chain.fails("ConstraintSeeds", certified.issue("ROOF_1", START, 2, number=3), signers=body)
    roofs.check()


def test_equal_export_gives_nothing_and_takes_nothing(roofs: Roofs, certified: Certified, body: list[Keypair]) -> None:
    chain = certified.campus.chain
    chain.ok(certified.issue("ROOF_1", START), signers=body)
    roofs.revise(1_000, 2, bob_wh=900)
    chain.fails("NothingToCertify", certified.issue("ROOF_1", START, 2, number=1), signers=body)
    chain.fails("NothingToTakeBack", certified.take_back("ROOF_1", START, 2))
    roofs.check()


def test_a_revision_that_nobody_has_used_is_left_out(roofs: Roofs, certified: Certified, body: list[Keypair]) -> None:
    chain = certified.campus.chain
    chain.ok(certified.issue("ROOF_1", START), signers=body)
    roofs.revise(5, 2)
    roofs.revise(1_100, 3)
    chain.fails("NotInForce", certified.take_back("ROOF_1", START, 2))
    chain.ok(certified.issue("ROOF_1", START, 3, number=1), signers=body)
    assert (roofs.wh(number=1), roofs.debts) == ((100, 0), (0, 0))
    roofs.check()


def test_what_was_in_doubt_is_certified_when_it_is_valid(
    roofs: Roofs, certified: Certified, body: list[Keypair]
) -> None:
    """Its first certificate follows a later revision: there was nothing to certify before."""
    chain = certified.campus.chain
    roofs.attest(1_000, start_s=NEXT, quality="estimated")
    chain.advance(SETTLED_S)
    chain.fails("NotAttested", certified.issue("ROOF_1", NEXT), signers=body)
    roofs.attest(950, revision=2, start_s=NEXT)
    chain.advance(OBJECTION_S)
    chain.ok(certified.issue("ROOF_1", NEXT, 2), signers=body)
    assert roofs.wh(start_s=NEXT) == (950, 0)
    roofs.check()


def test_the_last_correction_after_forty_days_still_counts(
    roofs: Roofs, certified: Certified, body: list[Keypair]
) -> None:
    chain = certified.campus.chain
    chain.ok(certified.issue("ROOF_1", START), signers=body)
    chain.set_time(START + INTERVAL_S + 40 * 86_400)
    roofs.revise(1_001, 2)
    chain.advance(400 * 86_400)
    chain.ok(certified.issue("ROOF_1", START, 2, number=1), signers=body)
    assert roofs.wh(number=1) == (1, 0)
    roofs.check()


def test_the_difference_is_the_first_producers_whoever_owns_the_meter_now(
    roofs: Roofs, certified: Certified, body: list[Keypair]
) -> None:
    chain, (ann, bob) = certified.campus.chain, (certified.owners[meter] for meter in ("ROOF_1", "ROOF_2"))
    for meter_id in ("ROOF_1", "ROOF_2"):
        chain.ok(certified.issue(meter_id, START), signers=body)
    chain.ok(registry.transfer_meter(ann.pubkey(), bob.pubkey(), "ROOF_1"), signers=[ann, bob])
    roofs.revise(1_100, 2)
    further = certified.issue("ROOF_1", START, 2, number=1)
    bobs = swapped(further, pdas.producer(ann.pubkey()), pdas.producer(bob.pubkey()))
    chain.fails("WrongProducer", bobs, signers=body)
    chain.ok(further, signers=body)
    assert certified.holding(pdas.certificate("ROOF_1", START, 1), 0).holder == ann.pubkey()
    roofs.revise(1_000, 3)
    taken = certified.take_back("ROOF_1", START, 3)
    chain.fails("WrongProducer", swapped(taken, pdas.producer(ann.pubkey()), pdas.producer(bob.pubkey())))
    chain.ok(taken)
    assert roofs.debts == (100, 0)
    roofs.check()


def test_nothing_counts_for_another_meter_interval_or_certificate(
    roofs: Roofs, certified: Certified, body: list[Keypair]
) -> None:
    chain = certified.campus.chain
    roofs.attest(1_000, start_s=NEXT)
    chain.advance(SETTLED_S)
    for meter_id, start_s in (("ROOF_1", START), ("ROOF_2", START), ("ROOF_1", NEXT)):
        chain.ok(certified.issue(meter_id, start_s), signers=body)
    roofs.revise(1_100, 2)
    first, further = pdas.certificate("ROOF_1", START), certified.issue("ROOF_1", START, 2, number=1)
    others = [pdas.certificate("ROOF_2", START), pdas.certificate("ROOF_1", NEXT)]
    for other in others:
        chain.fails("WrongFirst", swapped(further, first, other), signers=body)
    chain.ok(further, signers=body)
    roofs.revise(1_200, 3)
    further = certified.issue("ROOF_1", START, 3, number=2)
    others.append(pdas.certificate("ROOF_1", START, 1))
    for other in others:
        chain.fails("ConstraintSeeds", swapped(further, first, other), signers=body)
    roofs.revise(1, 4)
    taken = certified.take_back("ROOF_1", START, 4)
    for other in others:
        chain.fails("WrongFirst", swapped(taken, first, other))
    for ix, signers in ((further, body), (taken, [])):
        check_forgeries_are_refused(chain, ix, "energy_token", first, signers=signers)
        check_forgeries_are_refused(
            chain, ix, "energy_token", pdas.producer(certified.owners["ROOF_1"].pubkey()), signers=signers
        )
    roofs.check()


def test_only_the_rec_validator_issues_a_difference_and_nobody_is_kept_from_it(
    roofs: Roofs, certified: Certified, body: list[Keypair]
) -> None:
    chain, eve = certified.campus.chain, certified.campus.chain.key("eve")
    chain.ok(certified.issue("ROOF_1", START), signers=body)
    roofs.revise(1_100, 2)
    chain.fails("NotIssuer", certified.issue("ROOF_1", START, 2, number=1, body=eve), signers=[eve])
    further = pdas.certificate("ROOF_1", START, 1)
    for address in (further, pdas.certificate_holding(further, 0), pdas.interval(START, 3)):
        chain.drop_lamports_at(address)
    chain.ok(certified.issue("ROOF_1", START, 2, number=1), signers=body)
    roofs.check()
