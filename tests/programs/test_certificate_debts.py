"""A later revision with less export is a debt of the producer, paid before anything is issued to them."""

from typing import Any

import pytest
from solders.keypair import Keypair

from hub.chain import pdas
from support.programs.certified import OBJECTION_S, Certified
from support.programs.roofs import NEXT, Roofs
from support.programs.svm import START


def test_less_export_is_taken_back_once_by_anybody(roofs: Roofs, certified: Certified, body: list[Keypair]) -> None:
    chain = certified.campus.chain
    chain.ok(certified.issue("ROOF_1", START), signers=body)
    chain.fails("RevisionCounted", certified.take_back("ROOF_1", START, 1))
    roofs.attest(600, revision=2)
    chain.fails("TooEarlyToIssue", certified.take_back("ROOF_1", START, 2))
    chain.advance(OBJECTION_S)
    chain.fails("NothingToCertify", certified.issue("ROOF_1", START, 2, number=1), signers=body)
    event = chain.ok(certified.take_back("ROOF_1", START, 2)).event("ExportTakenBack")
    told = (event.meter, event.producer, event.production_start_s, event.wh, event.revision, event.debt_wh)
    assert told == (pdas.meter("ROOF_1"), certified.owners["ROOF_1"].pubkey(), START, 400, 2, 400)
    assert roofs.debts == (400, 0)
    assert certified.certificate("ROOF_1", START).counted_wh == 600
    chain.fails("RevisionCounted", certified.take_back("ROOF_1", START, 2))
    chain.fails("RevisionCounted", certified.issue("ROOF_1", START, 2, number=1), signers=body)
    roofs.check()


def test_what_is_certified_stays_with_who_has_it(roofs: Roofs, certified: Certified, body: list[Keypair]) -> None:
    """Sold and cancelled in good faith: the producer owes it, and nobody else."""
    chain, ann, cleo = certified.campus.chain, certified.owners["ROOF_1"], certified.campus.chain.key("cleo")
    made = certified.issued("ROOF_1", START)
    chain.ok(
        certified.transfer(ann, made, 0, cleo.pubkey(), 1_000), certified.cancel(cleo, made, 0), signers=[ann, cleo]
    )
    roofs.revise(0, 2)
    chain.ok(certified.take_back("ROOF_1", START, 2))
    assert (roofs.debts, certified.holding(made, 0).wh) == ((1_000, 0), 1_000)
    roofs.check()


@pytest.mark.parametrize(
    ("next_wh", "face_wh", "owed_wh"), [(1_500, 1_100, 0), (401, 1, 0), (400, 0, 0), (399, 0, 1), (1, 0, 399)]
)
def test_a_debt_is_paid_before_anything_is_issued(
    roofs: Roofs, certified: Certified, body: list[Keypair], next_wh: int, face_wh: int, owed_wh: int
) -> None:
    chain = certified.campus.chain
    chain.ok(certified.issue("ROOF_1", START), signers=body)
    roofs.attest(next_wh, start_s=NEXT)
    roofs.revise(600, 2)
    chain.ok(certified.take_back("ROOF_1", START, 2))
    all_withheld = face_wh == 0
    wrong = certified.issue("ROOF_1", NEXT, all_withheld=not all_withheld)
    chain.fails("WrongHolding", wrong, signers=body)
    issued = chain.ok(certified.issue("ROOF_1", NEXT, all_withheld=all_withheld), signers=body)
    event, made = issued.event("CertificateIssued"), pdas.certificate("ROOF_1", NEXT)
    assert (event.certificate, event.wh, event.withheld_wh) == (made, face_wh, next_wh - face_wh)
    assert chain.exists(pdas.certificate_holding(made, 0)) != all_withheld
    assert roofs.wh(start_s=NEXT) == (face_wh, next_wh - face_wh)
    assert roofs.debts == (owed_wh, 0)
    chain.ok(certified.issue("ROOF_2", NEXT), signers=body)
    roofs.check()


def test_a_debt_is_paid_by_the_same_interval_when_its_energy_comes_back(
    roofs: Roofs, certified: Certified, body: list[Keypair]
) -> None:
    chain = certified.campus.chain
    chain.ok(certified.issue("ROOF_1", START), signers=body)
    roofs.revise(600, 2)
    chain.ok(certified.take_back("ROOF_1", START, 2))
    roofs.revise(1_050, 3)
    chain.ok(certified.issue("ROOF_1", START, 3, number=1), signers=body)
    assert (roofs.wh(number=1), roofs.debts) == ((50, 400), (0, 0))
    roofs.revise(1_000, 4)
    chain.ok(certified.take_back("ROOF_1", START, 4))
    roofs.revise(1_020, 5)
    chain.ok(certified.issue("ROOF_1", START, 5, number=2, all_withheld=True), signers=body)
    assert (roofs.wh(number=2), roofs.debts) == ((0, 20), (30, 0))
    roofs.check()


def test_energy_in_doubt_is_taken_back_whole(roofs: Roofs, certified: Certified, body: list[Keypair]) -> None:
    chain = certified.campus.chain
    chain.ok(certified.issue("ROOF_1", START), signers=body)
    roofs.revise(1_000, 2, quality="estimated")
    lies: tuple[dict[str, Any], ...] = (
        {"quality": "valid"},
        {"quality": "suspect"},
        {"export_wh": 900},
        {"blinding": bytes(16)},
        {"path": []},
    )
    for lie in lies:
        chain.fails("NotAttested", certified.take_back("ROOF_1", START, 2, **lie))
    chain.ok(certified.take_back("ROOF_1", START, 2))
    assert roofs.debts == (1_000, 0)
    roofs.check()
