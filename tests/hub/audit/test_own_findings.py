"""Each finding of a participant's own checks, in its words: a forgery that it alone finds, up to its bound.

Ben bought 346 of the 500 Wh that his meter METER_002 measured; Anna sold all of her 900 Wh.
"""

from collections.abc import Sequence
from dataclasses import replace
from hashlib import sha256

import pytest

from hub.audit.facts import MeterStatus, PublicInterval, SettlementStatus
from hub.audit.proofs import ReadingProof
from hub.market.orders import Order, Trade, trade_id
from hub.units import PriceMills, Wh
from support.programs.dishonest_hub import HubStatement, Stage
from support.programs.own_audit import OwnAudit
from support.programs.public_facts import corrected, first, line, meter, settlement
from support.rows.own_proofs import GATEWAY


@pytest.fixture
def ben(stage: Stage, told: HubStatement, honest: PublicInterval) -> OwnAudit:
    return OwnAudit(stage.own("ben", told), told, honest)


@pytest.fixture
def anna(stage: Stage, told: HubStatement, honest: PublicInterval) -> OwnAudit:
    return OwnAudit(stage.own("anna", told), told, honest)


def forward(told: HubStatement, wh: int) -> tuple[Trade, Sequence[Order]]:
    """Returns a forward trade over so many Wh from the first order's participant to the second's, and its orders."""
    ask, bid = (
        replace(order, order_id=sha256(bytes([number])).digest(), sequence=1, wh=Wh(wh), limit_mills=PriceMills(3_000))
        for number, order in enumerate(told.orders[:2])
    )
    made = trade_id(told.start_s, ask.order_id, bid.order_id, 0, wh, 3_000)
    return (
        Trade(made, told.start_s, "forward", ask.participant_id, bid.participant_id, ask.order_id, bid.order_id, 0,
              Wh(wh), PriceMills(3_000)),
        (ask, bid),
    )  # fmt: skip


# Proofs --------------------------------------------------------------------------------------------------------------


def test_a_proof_is_signed_by_a_registered_key_that_was_valid(ben: OwnAudit) -> None:
    check, unknown = "own_proofs_hold", f"the registry has no such key of {GATEWAY}"
    both = "proof 0: {} | proof 1: {}"
    assert ben.found(check) == ""
    assert ben.found(check, keys={}) == both.format(unknown, unknown)
    ((public_key, key),) = ben.evidence.keys.items()
    assert key is not None
    assert ben.found(check, keys={public_key: None}) == both.format(unknown, unknown)
    assert ben.found(check, keys={public_key: replace(key, gateway=bytes(32))}) == both.format(unknown, unknown)
    start_s, end_s, invalid = ben.told.start_s, ben.told.end_s, f"the key of {GATEWAY} was not valid when it signed"

    def valid(from_s: int, until_s: int) -> str:
        return ben.found(check, keys={public_key: replace(key, valid_from_s=from_s, valid_until_s=until_s)})

    assert valid(start_s, 0) == valid(start_s, end_s + 1) == ""
    assert valid(start_s + 1, 0) == f"proof 0: {invalid}"
    assert valid(start_s, end_s) == f"proof 1: {invalid}"
    assert valid(0, 1) == both.format(invalid, invalid)


def test_a_proof_names_the_gateway_at_which_the_registry_has_the_meter(ben: OwnAudit) -> None:
    elsewhere = meter(ben.interval, 1, gateway=bytes(32))
    text = f"the registry has METER_002 at another gateway than {GATEWAY}"
    assert ben.found("own_proofs_hold", interval=elsewhere) == f"proof 0: {text} | proof 1: {text}"
    moved = meter(elsewhere, 1, since_s=ben.told.start_s + 1)
    assert ben.found("own_proofs_hold", interval=moved) == ""
    others = meter(ben.interval, 0, gateway=bytes(32))
    assert ben.found("own_proofs_hold", interval=others) == ""


def test_only_proofs_of_the_interval_are_compared(ben: OwnAudit) -> None:
    check, none = "own_proofs_hold", "no proof of a reading in this interval was given"
    assert ben.reason(check, proofs=()) == ben.reason("own_meter_attested", proofs=()) == none
    later = ben.proofs(part="leaf", start_s=ben.told.start_s + 1)
    assert ben.reason(check, proofs=later) == none
    assert ben.found(check, proofs=(later[0], ben.evidence.proofs[1]), keys={}).startswith("proof 1: ")
    faulty = ReadingProof("mine", fault="its signature does not hold")
    assert ben.found(check, proofs=(faulty,)) == "mine: its signature does not hold"
    assert ben.reason("own_meter_attested", interval=replace(ben.interval, revisions=())) == "it is not attested"


def test_a_reading_without_a_place_belongs_to_the_interval_that_ends_with_it(ben: OwnAudit) -> None:
    left_out = "{}: the reading was signed in this interval, and its meter is shown at no place in it"
    proofs = tuple(replace(proof, leaf=None) for proof in ben.evidence.proofs)
    assert [proof.reading and proof.reading.slot_s for proof in proofs] == [ben.told.start_s, ben.told.end_s]
    assert ben.found("own_meter_attested", proofs=proofs) == left_out.format("proof 1")


def test_a_place_is_in_the_tree_that_was_attested(ben: OwnAudit) -> None:
    check, interval = "own_meter_attested", ben.interval
    assert ben.found(check) == ""
    other_root = "{}: it leads to a root that the chain has not attested"
    assert ben.found(check, proofs=ben.proofs(0, "leaf", root=bytes(32))) == other_root.format("proof 0")
    assert ben.found(check, proofs=ben.proofs(1, "leaf", revision=2)) == other_root.format("proof 1")
    assert ben.found(check, interval=first(interval, meters_valid=4)).startswith(
        "proof 0: it shows one of 3 meters, the chain attests 4 | proof 1: "
    )
    assert ben.found(check, proofs=ben.proofs(0, "leaf", end_s=interval.end_s + 1)) == (
        "proof 0: it shows one of 3 meters, the chain attests 3"
    )
    second = corrected(interval, merkle_root=b"c" * 32)
    assert ben.found(check, interval=second) == ""
    assert ben.found(check, interval=second, proofs=ben.proofs(part="leaf", revision=2, root=b"c" * 32)) == ""


# Energy --------------------------------------------------------------------------------------------------------------


def test_the_energy_is_what_the_signed_registers_grew_by(ben: OwnAudit) -> None:
    check = "own_energy_signed"
    assert ben.found(check) == ""
    assert ben.found(check, proofs=ben.proofs(part="leaf", import_wh=501)) == (
        "METER_002: the signed registers say 500 Wh import and 0 Wh export, attested are 501 and 0"
    )
    assert ben.found(check, proofs=ben.proofs(1, export_wh=7_001)) == (
        "METER_002: the signed registers say 500 Wh import and 1 Wh export, attested are 500 and 0"
    )
    none = "no valid meter has a proof for both its readings, at the interval's start and at its end"
    assert ben.reason(check, proofs=ben.proofs(part="leaf", quality="estimated", import_wh=1)) == none
    assert ben.reason(check, proofs=ben.proofs(0, slot_s=ben.told.start_s + 1)) == none
    assert ben.reason(check, proofs=ben.proofs(1, slot_s=ben.told.end_s - 1)) == none
    assert ben.reason(check, proofs=ben.proofs(0, meter_id="METER_009")) == none


def test_an_estimated_meter_beside_a_valid_one_is_not_compared(ben: OwnAudit, anna: OwnAudit) -> None:
    mine = anna.proofs(part="leaf", quality="estimated", import_wh=1)
    assert ben.found("own_energy_signed", proofs=(*ben.evidence.proofs, *mine)) == ""


def test_the_latest_revision_that_a_proof_shows_counts(ben: OwnAudit) -> None:
    correction = ben.proofs(part="leaf", revision=2, import_wh=400)
    for proofs in ((*correction, *ben.evidence.proofs), (*ben.evidence.proofs, *correction)):
        assert "attested are 400 and 0" in ben.found("own_energy_signed", proofs=proofs)


# Orders --------------------------------------------------------------------------------------------------------------


def test_what_can_not_be_said_about_an_order(ben: OwnAudit) -> None:
    unknown, no_journal = "participant id and wallet were not given", replace(ben.interval, journal=None)
    for check in ("own_order", "own_line"):
        assert ben.reason(check, participant_id=None) == ben.reason(check, wallet=None) == unknown
        assert ben.reason(check, interval=no_journal) == "there is no journal to read"
    others = tuple(order for order in ben.told.orders if order.participant_id != ben.evidence.participant_id)
    without = ben.journal(orders=others, trades=())
    more = "no order has this participant's name; a mandate and proofs of all meters would show whether one is missing"
    assert ben.reason("own_order", interval=without, proofs=()) == more
    assert ben.reason("own_order", interval=without, account=None) == more
    trade, orders = forward(ben.told, 100)
    assert ben.reason("own_order", interval=ben.journal(orders=(*others, *orders), trades=(trade,))) == (
        "no automatic order has this participant's name, and there may be none after forward trades"
    )
    for status in (SettlementStatus.ABORTED, SettlementStatus.EMPTY):
        assert ben.reason("own_line", interval=settlement(ben.interval, status=status)) == "no line counts"
    assert ben.reason("own_line", interval=replace(ben.interval, settlement=None)) == "no line counts"


def test_an_order_has_the_limit_that_was_set(ben: OwnAudit, anna: OwnAudit) -> None:
    check, net = "own_order", "the {} has the limit {} mills net, {} follows from what was set"
    assert ben.found(check) == anna.found(check) == ""
    assert ben.found(check, bid_limit_mills=PriceMills(4_250)) == ""
    assert ben.found(check, bid_limit_mills=PriceMills(4_249)) == net.format("bid", 4_120, 4_119)
    assert anna.found(check, ask_limit_mills=PriceMills(2_200)) == ""
    assert anna.found(check, ask_limit_mills=PriceMills(2_201)) == net.format("ask", 2_200, 2_201)
    rates = replace(ben.interval.rates, wheeling_mills=PriceMills(101))  # type: ignore[type-var]
    assert ben.found(check, interval=replace(ben.interval, rates=rates)) == net.format("bid", 4_120, 4_119)
    assert ben.found(check, interval=replace(ben.interval, rates=None), bid_limit_mills=PriceMills(4_249)) != ""
    assert ben.found(check, interval=replace(ben.interval, rates=None, settlement=None)) == ""


def test_an_order_is_over_no_more_than_was_measured(ben: OwnAudit, anna: OwnAudit) -> None:
    over = "the {} is over {} Wh, the meters leave a residual of {} Wh"
    for own, name, wh, residual in ((ben, "bid", 500, -500), (anna, "ask", 900, 900)):
        order = next(order for order in own.told.orders if order.participant_id == own.evidence.participant_id)
        for ordered, found in ((wh - 1, ""), (wh, ""), (wh + 1, over.format(name, wh + 1, residual))):
            told = own.told.ordering(order, wh=Wh(ordered))
            assert own.found("own_order", interval=replace(own.interval, journal=told.journal)) == found
            found_without_proofs = own.found(
                "own_order", interval=replace(own.interval, journal=told.journal), proofs=()
            )
            assert found_without_proofs == ""


def test_forward_trades_leave_less_to_order(ben: OwnAudit, anna: OwnAudit) -> None:
    trade, orders = forward(ben.told, 100)
    interval = ben.journal(orders=(*ben.told.orders, *orders), trades=(trade, *ben.told.trades))
    assert ben.found("own_order", interval=interval) == "the bid is over 500 Wh, the meters leave a residual of -400 Wh"
    assert anna.found("own_order", interval=interval) == "the ask is over 900 Wh, the meters leave a residual of 800 Wh"
    for own, wh in ((ben, 400), (anna, 800)):
        order = next(order for order in own.told.orders if order.participant_id == own.evidence.participant_id)
        told = replace(own.told.ordering(order, wh=Wh(wh)), trades=(trade, *own.told.trades))
        told = replace(told, orders=(*told.orders, *orders))
        assert own.found("own_order", interval=replace(own.interval, journal=told.journal)) == ""


def test_a_missing_order_is_found_by_what_was_measured(ben: OwnAudit, anna: OwnAudit) -> None:
    check = "own_order"
    for own, found in (
        (ben, "a need of 500 Wh was measured, and the journal has no bid for it, though the account can pay"),
        (anna, "a surplus of 900 Wh was measured, and the journal has no ask for it"),
    ):
        others = tuple(order for order in own.told.orders if order.participant_id != own.evidence.participant_id)
        without = own.journal(orders=others, trades=())
        assert own.found(check, interval=without) == found
        balanced = own.proofs(part="leaf", import_wh=7, export_wh=7)
        assert own.found(check, interval=without, proofs=balanced) == ""
        without_rates = replace(without, rates=None, settlement=None)
        assert own.found(check, interval=without_rates) == ""


@pytest.mark.parametrize(
    ("bid_limit", "balance", "missed"), [(130, 130, True), (129, 200, False), (130, 129, False), (4_250, 4_250, True)]
)
def test_a_bid_is_missed_when_a_wh_could_be_paid(
    stage: Stage, ben: OwnAudit, bid_limit: int, balance: int, missed: bool
) -> None:
    """The limit must cover the charges of 130 mills, and the account one Wh at the limit."""
    others = tuple(order for order in ben.told.orders if order.participant_id != ben.evidence.participant_id)
    account = stage.exchange.chain.account("trading", stage.people["ben"].trader.account)
    account.balance_micros = balance
    found = ben.found(
        "own_order",
        interval=ben.journal(orders=others, trades=()),
        account=account,
        bid_limit_mills=PriceMills(bid_limit),
    )
    assert (found != "") == missed


def test_all_valid_meters_of_the_wallet_count(ben: OwnAudit, anna: OwnAudit) -> None:
    """With a second meter that shows nothing, what was measured is not known; a retired one measures nothing."""
    told = ben.told.ordering(ben.told.orders[1], wh=Wh(501))
    over = replace(ben.interval, journal=told.journal)
    second = replace(over.meters[0], owner=over.meters[1].owner)
    assert ben.found("own_order", interval=over) != ""
    for meters in ((*over.meters, replace(second, meter_id="METER_004")), (second, *over.meters[1:])):
        assert ben.found("own_order", interval=replace(over, meters=meters)) == ""
    retired = replace(second, meter_id="METER_004", status=MeterStatus.RETIRED)
    assert ben.found("own_order", interval=replace(over, meters=(*over.meters, retired))) != ""
    estimated = ben.proofs(part="leaf", quality="estimated")
    assert ben.found("own_order", interval=over, proofs=estimated) == ""
    both = (*ben.evidence.proofs, *anna.evidence.proofs)
    assert "a residual of 400 Wh" in ben.found(
        "own_order", interval=replace(over, meters=(second, *over.meters[1:])), proofs=both
    )


# Lines ---------------------------------------------------------------------------------------------------------------

TRADED, LINE = "0 Wh sold for 0 micros, 346 Wh bought for 1470500", "0 Wh sold for 0 micros, 346 Wh bought for 1470501"


def test_the_line_is_what_the_trades_come_to(ben: OwnAudit) -> None:
    check, interval = "own_line", ben.interval
    assert ben.found(check) == ""
    dearer = line(interval, 0, debit_micros=1_470_501)
    assert ben.found(check, interval=dearer) == f"the order's trades come to {TRADED}, and the line moves {LINE}"
    twice = replace(interval, lines=(*interval.lines, interval.lines[0]))
    assert ben.found(check, interval=twice) == (
        f"the order's trades come to {TRADED}, and the line moves {TRADED} and {TRADED}"
    )
    none = replace(interval, lines=interval.lines[1:])
    assert ben.found(check, interval=none) == (
        f"the order's trades come to {TRADED}, and no line of this wallet was settled"
    )
    assert ben.found(check, interval=settlement(none, cursor=2)) == ""


def test_a_line_needs_an_order_that_was_filled(ben: OwnAudit) -> None:
    check, orders = "own_line", ben.told.orders
    unfilled = ben.journal(trades=())
    assert ben.found(check, interval=unfilled) == f"a line moves {TRADED}, and the order was not filled"
    assert ben.found(check, interval=replace(unfilled, lines=unfilled.lines[1:])) == ""
    others = tuple(order for order in orders if order.participant_id != ben.evidence.participant_id)
    nothing_ordered = ben.journal(orders=others, trades=())
    assert ben.found(check, interval=nothing_ordered) == (
        f"a line moves {TRADED}, and the journal has no order of this participant"
    )
    assert ben.found(check, interval=replace(nothing_ordered, lines=())) == ""
    trade, forward_orders = forward(ben.told, 100)
    forwards = ben.journal(orders=(*others, *forward_orders), trades=(trade,))
    assert ben.found(check, interval=forwards) == "", "forward trades have made the line, as far as anybody can tell"
