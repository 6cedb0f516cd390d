"""Each check by itself: what it finds in facts that no honest hub leaves, and what it accepts."""

import json
from collections.abc import Callable
from dataclasses import replace
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest

from hub.audit.audit import PUBLIC_CHECKS, check_interval
from hub.audit.checks import Verdict, failed_checks
from hub.audit.facts import ABORT_AFTER_S, OPEN_WINDOW_S, MeterStatus, PublicInterval, Settlement, SettlementStatus
from hub.audit.own_checks import ParticipantEvidence
from hub.audit.proofs import ProofFileError, parse_proof, read_proof
from hub.market.auction.run import run_auction
from hub.market.published_journal import journal_bytes
from hub.units import Micros, PriceMills, Wh
from support.programs.dishonest_acts import DISHONEST_ACTS
from support.programs.dishonest_hub import HubStatement, Stage
from support.programs.public_facts import first, later, line, settlement
from support.rows.worked_example import BASE, EXAMPLES, INTERVAL_S, RATES, START_S

HOUR_S = 3600


Change = Callable[[PublicInterval], PublicInterval]
FOUND: list[tuple[str, Change, set[str]]] = [
    ("other energy was minted", lambda i: replace(i, minted_wh=Wh(999)), {"minted_as_attested"}),
    ("other rates than governance's", lambda i: replace(i, rates=replace(RATES, loss_mills=PriceMills(6))),
     {"charges_in_force"}),
    ("other charges than the rates make", lambda i: settlement(i, debit_micros=Micros(1)),
     {"charges_in_force", "lines_committed"}),
    ("more sold than bought", lambda i: settlement(i, sold_wh=Wh(901)), {"charges_in_force", "lines_committed"}),
    ("a line was not shown", lambda i: replace(i, lines=i.lines[:2]), {"lines_committed", "trades_net_to_lines"}),
    ("a wallet has two lines", lambda i: line(i, wallet=i.lines[1].wallet), {"lines_committed"}),
    ("never attested", lambda i: later(replace(i, revisions=(), settlement=None, minted_wh=None), 13 * HOUR_S),
     {"attested_in_time"}),
    ("attested before its end", lambda i: first(i, attested_s=i.end_s - 1), {"attested_in_time"}),
    ("attested for another time", lambda i: first(i, start_s=i.start_s - 1), {"attested_in_time"}),
    ("never closed", lambda i: later(replace(i, settlement=None), ABORT_AFTER_S + 1), {"settled_in_time"}),
    ("opened too late", lambda i: settlement(i, opened_s=i.end_s + OPEN_WINDOW_S + 1), {"settled_in_time"}),
    ("aborted by the settler, lines on their way", lambda i: later(settlement(i,
     status=SettlementStatus.RETURNING, closed_s=0), HOUR_S), {"not_taken_back"}),
    ("no journal", lambda i: replace(i, journal=None), {"journal_committed"}),
    ("no journal's bytes", lambda i: replace(i, journal=b"x"), {"journal_committed"}),
    ("a journal cut short", lambda i: replace(i, journal=i.journal and i.journal[:-1]), {"journal_committed"}),
    ("another committed hash", lambda i: settlement(i, journal_hash=bytes(32)), {"journal_committed"}),
    ("another committed price", lambda i: settlement(i, clearing_price_mills=PriceMills(1)), {"journal_committed"}),
    ("less import attested than ordered", lambda i: first(i, import_wh=Wh(1_299)), {"orders_backed"}),
]  # fmt: skip

ACCEPTED: list[tuple[str, Change, set[str]]] = [
    ("not attested yet", lambda i: replace(i, revisions=(), settlement=None, minted_wh=None),
     {"attested_in_time", "meters_attested", "energy_possible", "minted_as_attested", "settled_in_time"}),
    ("from before the first meter", lambda i: later(replace(i, revisions=(), settlement=None, minted_wh=None,
     meters=tuple(replace(meter, since_s=i.end_s) for meter in i.meters)), 13 * HOUR_S), {"attested_in_time"}),
    ("not settled yet", lambda i: replace(i, settlement=None, lines=()), {"settled_in_time", "lines_committed"}),
    ("meters of people without a wallet", lambda i: first(i, meters_valid=4, export_wh=Wh(10**6)),
     {"energy_possible"}),
    ("rates of long ago", lambda i: replace(i, rates=None), {"charges_in_force"}),
    ("no place for journals named", lambda i: replace(i, journal=None, journal_requested=False),
     {"journal_committed", "clears_again"}),
    ("aborted by anybody, a day later", lambda i: settlement(i, status=SettlementStatus.ABORTED,
     closed_s=i.end_s + ABORT_AFTER_S),
     {"lines_committed", "journal_committed", "trades_net_to_lines"}),
    ("too late to open: closed empty by anybody", lambda i: settlement(i, status=SettlementStatus.EMPTY,
     closed_s=i.end_s + OPEN_WINDOW_S + 1), {"lines_committed"}),
]  # fmt: skip
"""Changes that are no finding, and some of the checks that are then not checked."""


@pytest.mark.parametrize(
    ("title", "change", "checks"), FOUND, ids=lambda value: value if isinstance(value, str) else ""
)
def test_what_is_found(honest: PublicInterval, title: str, change: Change, checks: set[str]) -> None:
    assert failed_checks(check_interval(honest)) == set()
    found = failed_checks(check_interval(change(honest)))
    assert found - {"minted_as_attested"} == checks - {"minted_as_attested"} and checks <= found


@pytest.mark.parametrize(
    ("title", "change", "unchecked"), ACCEPTED, ids=lambda value: value if isinstance(value, str) else ""
)
def test_what_is_let_be(honest: PublicInterval, title: str, change: Change, unchecked: set[str]) -> None:
    results = check_interval(change(honest))
    assert failed_checks(results) <= {"minted_as_attested"}
    assert unchecked <= {result.check for result in results if result.verdict is Verdict.UNCHECKED}


def test_a_meter_that_changed_hands_since_speaks_for_nobody_and_against_nobody(honest: PublicInterval) -> None:
    sold = tuple(replace(meter, owner=bytes(32), since_s=honest.start_s + 1) for meter in honest.meters)
    assert failed_checks(check_interval(replace(honest, meters=sold))) == set()
    before = tuple(replace(meter, since_s=honest.start_s) for meter in sold)
    assert failed_checks(check_interval(replace(honest, meters=before))) == {"sellers_generate"}


def test_a_suspended_meter_is_not_missed(honest: PublicInterval) -> None:
    *others, last = honest.meters
    fewer = first(honest, meters_valid=2)
    assert failed_checks(check_interval(fewer)) == {"meters_attested"}
    suspended = (*others, replace(last, status=MeterStatus.SUSPENDED))
    assert failed_checks(check_interval(replace(fewer, meters=suspended))) == set()


def test_lines_that_are_still_to_come_are_not_missed(honest: PublicInterval) -> None:
    begun = replace(settlement(honest, status=SettlementStatus.OPEN, cursor=1), lines=honest.lines[:1])
    assert failed_checks(check_interval(begun)) == set()
    assert failed_checks(check_interval(line(begun, bought_wh=Wh(347)))) == {"trades_net_to_lines"}


def worked(residuals: Any, trades: Any, example: Any = BASE) -> PublicInterval:
    """Returns an example of the market's rules as an outsider sees it, without a chain."""
    orders, price = (*example.inputs.forward_orders, *residuals), example.price_mills
    journal = journal_bytes(START_S, orders, trades, price, RATES.charges_mills)
    sold = sum(line.sold_wh for line in example.lines)
    committed = Settlement(
        SettlementStatus.CLOSED, 0, 0, bytes(32), sha256(journal).digest(), 3, 3, Wh(sold), Wh(sold), Micros(0),
        Micros(0), PriceMills(price), RATES,
    )  # fmt: skip
    return PublicInterval(START_S, START_S + INTERVAL_S, 0, (), None, committed, (), None, (), journal)


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda example: example.name)
def test_examples_with_forward_trades_pass_what_the_journal_alone_shows(honest: PublicInterval, example: Any) -> None:
    outcome = run_auction(example.inputs)
    assert honest.first_revision is not None
    valid = [metered for metered in example.inputs.metered if metered.valid]
    attested = replace(
        honest.first_revision,
        import_wh=Wh(sum(metered.import_wh for metered in valid)),
        export_wh=Wh(sum(metered.export_wh for metered in valid)),
    )
    shown = replace(worked(outcome.orders, outcome.trades, example), revisions=(attested,))
    names = {"journal_committed", "clears_again", "limits_within_tariffs", "forward_within_orders", "orders_backed"}
    assert {one.check: one.verdict for one in check_interval(shown) if one.check in names} == dict.fromkeys(
        names, Verdict.OK
    )


def test_a_proof_by_another_key_or_changed_is_found(stage: Stage, told: HubStatement, honest: PublicInterval) -> None:
    own = stage.own("ben", told)
    assert failed_checks(check_interval(honest, own)) == set()
    assert failed_checks(check_interval(honest, replace(own, keys={}))) == {"own_proofs_hold"}
    expired = {key: entry and replace(entry, valid_until_s=1) for key, entry in own.keys.items()}
    assert failed_checks(check_interval(honest, replace(own, keys=expired))) == {"own_proofs_hold"}
    document = stage.proofs("ben", told)[1]
    document["interval"]["import_wh"] -= 1
    changed = ParticipantEvidence(proofs=(parse_proof("changed", document),))
    assert failed_checks(check_interval(honest, changed)) == {"own_proofs_hold"}


def test_an_order_is_not_missed_without_knowing_of_a_residual(
    stage: Stage, told: HubStatement, honest: PublicInterval
) -> None:
    own = stage.own("ben", told)
    others = tuple(order for order in told.orders if order.participant_id != own.participant_id)
    without = replace(honest, journal=replace(told, orders=others, trades=()).journal)
    assert verdict_of_order(without, own) is Verdict.FAILED
    for lacking in (replace(own, proofs=()), replace(own, account=None), replace(own, participant_id=None)):
        assert verdict_of_order(without, lacking) is Verdict.UNCHECKED
    assert verdict_of_order(honest, replace(own, proofs=(), account=None)) is Verdict.OK


def verdict_of_order(interval: PublicInterval, own: ParticipantEvidence) -> Verdict:
    return next(result.verdict for result in check_interval(interval, own) if result.check == "own_order")


def test_a_place_in_another_tree_is_found(stage: Stage, told: HubStatement, honest: PublicInterval) -> None:
    """A hub's proof may be consistent in itself and not be what was attested."""
    own = stage.own("ben", told)
    assert failed_checks(check_interval(first(honest, merkle_root=bytes(32)), own)) == {"own_meter_attested"}
    assert failed_checks(check_interval(first(honest, meters_estimated=1), own)) == {"own_meter_attested"}
    assert failed_checks(check_interval(replace(honest, revisions=()), own)) == {"minted_as_attested"}
    corrected = replace(honest, revisions=(replace(honest.revisions[0], number=2),))
    assert "own_meter_attested" in failed_checks(check_interval(corrected, own))


def test_a_proof_file_is_read_or_refused_by_name(stage: Stage, told: HubStatement, tmp_path: Path) -> None:
    file = tmp_path / "proof.json"
    file.write_text(json.dumps(stage.proofs("ben", told)[1]))
    proof = read_proof(file)
    assert proof.reading is not None and proof.leaf is not None
    assert (proof.reading.meter_id, proof.reading.slot_s, proof.leaf.import_wh) == ("METER_002", told.end_s, 500)
    file.write_text(json.dumps({**stage.proofs("ben", told)[1], "signature": "00" * 64}))
    assert read_proof(file).fault is not None
    for text in ("", "[]", "{", '"text"'):
        file.write_text(text)
        with pytest.raises(ProofFileError, match=str(file)):
            read_proof(file)


def test_every_check_has_been_seen_to_fail() -> None:
    by_acts = {name for act in DISHONEST_ACTS for name in act.outsider}
    by_facts = {name for _, _, checks in FOUND for name in checks}
    assert {check.name for check in PUBLIC_CHECKS} == by_acts | by_facts | {"forward_within_orders"}
    of_participants = {name for act in DISHONEST_ACTS for names in act.participants.values() for name in names}
    assert of_participants == {"own_meter_attested", "own_energy_signed", "own_order", "own_line"}
