"""Automatic orders from energy, forward trades, limits and funds: whether there is one, its price and its energy."""

from dataclasses import replace
from uuid import UUID

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hub.demo import ground_truth
from hub.demo.true_energy import MeterTruth
from hub.market.auction.residuals import MeteredEnergy, Position, UnsettledDebits, positions, residual_orders
from hub.market.auction.run import AuctionInput, run_auction
from hub.market.funds import ParticipantFunds
from hub.market.orders import Order, Side
from hub.units import Micros, PriceMills, Wh
from support.rows.worked_example import AMPLE, FORWARD, RATES, START_S, A, B

NO_DEBITS: dict[UUID, UnsettledDebits] = {}


def order_of(
    metered: MeteredEnergy, funds: ParticipantFunds = AMPLE, unsettled: UnsettledDebits | None = None
) -> Order | None:
    debits = {} if unsettled is None else {metered.participant_id: unsettled}
    orders = residual_orders(START_S, [metered], [], {metered.participant_id: funds}, debits, RATES)
    return orders[0] if orders else None


def wants(wh: int, **limits: int) -> MeteredEnergy:
    """Returns a participant who needs that much energy; negative is a surplus."""
    return MeteredEnergy(A, Wh(max(wh, 0)), Wh(max(-wh, 0)), valid=True, **limits)  # type: ignore[arg-type]


def test_a_surplus_becomes_an_ask_at_the_export_tariff() -> None:
    order = order_of(wants(-300))
    assert order is not None
    assert (order.side, order.wh, order.limit_mills, order.sequence) == (Side.ASK, 300, 2200, 0)


def test_a_need_becomes_a_bid_net_of_charges() -> None:
    order = order_of(wants(800))
    assert order is not None
    assert (order.side, order.wh, order.limit_mills) == (Side.BID, 800, 4250 - 130)


@pytest.mark.parametrize("sign", [1, -1])
def test_an_order_is_no_more_than_a_line_of_the_settlement_holds(sign: int) -> None:
    """The rest is the utility's: an interval whose line no plan can write would stop the campus."""
    much = Micros(2**60)
    endless = replace(
        AMPLE, max_wh=Wh(2**40), balance_micros=much, reserve_micros=much, max_debit_micros=much,
        max_day_debit_micros=much,
    )  # fmt: skip
    order = order_of(wants(sign * 2**32), endless)
    assert order is not None and order.wh == 2**32 - 1


@pytest.mark.parametrize(
    ("limits", "funds", "net"),
    [
        ({"bid_limit_mills": 3000}, AMPLE, 2870),
        # nobody pays peers more than the utility
        ({"bid_limit_mills": 9999}, replace(AMPLE, max_price_mills=PriceMills(9999)), 4870),
        ({}, replace(AMPLE, max_price_mills=PriceMills(4000)), 3870),
        ({"bid_limit_mills": 130}, AMPLE, 0),
    ],
)
def test_a_bid_keeps_limit_mandate_and_tariff(limits: dict[str, int], funds: ParticipantFunds, net: int) -> None:
    order = order_of(wants(10, **limits), funds)
    assert order is not None and order.limit_mills == net


def test_a_bid_that_does_not_cover_the_charges_is_no_order() -> None:
    assert order_of(wants(10, bid_limit_mills=129)) is None
    assert order_of(wants(10, bid_limit_mills=0)) is None


@pytest.mark.parametrize(
    ("limits", "funds", "net"),
    [
        ({"ask_limit_mills": 2500}, AMPLE, 2500),
        ({"ask_limit_mills": 100}, AMPLE, 2200),  # nobody sells to peers below the utility
        ({}, replace(AMPLE, min_price_mills=PriceMills(2600)), 2600),
    ],
)
def test_an_ask_keeps_limit_mandate_and_tariff(limits: dict[str, int], funds: ParticipantFunds, net: int) -> None:
    order = order_of(wants(-10, **limits), funds)
    assert order is not None and order.limit_mills == net


@pytest.mark.parametrize(
    ("funds", "unsettled", "wh"),
    [
        (replace(AMPLE, reserve_micros=Micros(1_000_000)), UnsettledDebits(), 235),
        (replace(AMPLE, balance_micros=Micros(1_000_000)), UnsettledDebits(), 235),
        (replace(AMPLE, reserve_micros=Micros(1_000_000)), UnsettledDebits(Micros(150_000)), 200),
        (replace(AMPLE, max_debit_micros=Micros(4250)), UnsettledDebits(), 1),
        (replace(AMPLE, max_day_debit_micros=Micros(85_000), day_debit_micros=Micros(42_500)), UnsettledDebits(), 10),
        (
            replace(AMPLE, max_day_debit_micros=Micros(85_000), day_debit_micros=Micros(42_500)),
            UnsettledDebits(Micros(21_250), Micros(21_250)),
            5,
        ),
        (replace(AMPLE, max_wh=Wh(7)), UnsettledDebits(), 7),
    ],
)
def test_a_bid_is_cut_to_what_is_left(funds: ParticipantFunds, unsettled: UnsettledDebits, wh: int) -> None:
    order = order_of(wants(800), funds, unsettled)
    assert order is not None and order.wh == wh


def test_without_anything_left_there_is_no_bid() -> None:
    assert order_of(wants(800), replace(AMPLE, reserve_micros=Micros(4249))) is None
    assert order_of(wants(800), AMPLE, UnsettledDebits(AMPLE.reserve_micros)) is None


def test_an_ask_needs_no_money_but_keeps_the_mandates_energy() -> None:
    order = order_of(wants(-500), replace(AMPLE, balance_micros=Micros(0), max_wh=Wh(200)))
    assert order is not None and order.wh == 200


def test_a_single_wh_is_an_order() -> None:
    ask, bid = order_of(wants(-1)), order_of(wants(1))
    assert ask is not None and (ask.side, ask.wh) == (Side.ASK, 1)
    assert bid is not None and (bid.side, bid.wh) == (Side.BID, 1)


def test_a_bid_of_nothing_costs_nothing() -> None:
    """Without charges a limit may be 0: then money limits nothing, and at 1 mill a micro buys a Wh."""
    free = replace(RATES, wheeling_mills=PriceMills(0), platform_mills=PriceMills(0), loss_mills=PriceMills(0))

    def wh_at(limit_mills: int, left: int) -> list[int]:
        funds = {A: replace(AMPLE, reserve_micros=Micros(left))}
        metered = [wants(800, bid_limit_mills=limit_mills)]
        return [order.wh for order in residual_orders(START_S, metered, [], funds, NO_DEBITS, free)]

    assert (wh_at(0, 0), wh_at(1, 0), wh_at(1, 1)) == ([800], [], [1])


@pytest.mark.parametrize(("max_wh", "wh"), [(599, None), (600, None), (601, 1), (620, 20), (700, 50)])
def test_what_was_sold_or_bought_ahead_counts_against_the_mandates_energy(max_wh: int, wh: int | None) -> None:
    funds = replace(AMPLE, max_wh=Wh(max_wh))
    metered = [MeteredEnergy(A, Wh(0), Wh(650), valid=True), MeteredEnergy(B, Wh(650), Wh(0), valid=True)]
    orders = residual_orders(START_S, metered, [FORWARD], {A: funds, B: funds}, NO_DEBITS, RATES)
    expected = [] if wh is None else [(A, Side.ASK, wh), (B, Side.BID, wh)]
    assert [(o.participant_id, o.side, o.wh) for o in orders] == expected


def test_what_was_bought_ahead_counts_against_the_mandates_debit() -> None:
    """B paid 600 x 3130 ahead; 4250 micros more are one Wh."""
    funds = replace(AMPLE, max_debit_micros=Micros(600 * 3130 + 4250))
    metered = [MeteredEnergy(B, Wh(650), Wh(0), valid=True)]
    (order,) = residual_orders(START_S, metered, [FORWARD], {B: funds}, NO_DEBITS, RATES)
    assert order.wh == 1


def test_positions_sum_every_trade() -> None:
    again = replace(FORWARD, wh=Wh(10), price_mills=PriceMills(2000))
    back = replace(FORWARD, seller_id=B, buyer_id=A, wh=Wh(3), price_mills=PriceMills(1000))
    assert positions([FORWARD, again, back], PriceMills(130)) == {
        A: Position(Wh(610), Wh(3), Micros(3 * 1130)),
        B: Position(Wh(3), Wh(610), Micros(600 * 3130 + 10 * 2130)),
    }


def test_forward_trades_come_off_first() -> None:
    # A sold 600 ahead and delivers 500: the rest has to be bought
    metered = [MeteredEnergy(A, Wh(0), Wh(500), valid=True), MeteredEnergy(B, Wh(600), Wh(0), valid=True)]
    orders = residual_orders(START_S, metered, [FORWARD], {A: AMPLE, B: AMPLE}, NO_DEBITS, RATES)
    assert [(o.participant_id, o.side, o.wh) for o in orders] == [(A, Side.BID, 100)]


def test_estimated_energy_or_no_mandate_places_no_order() -> None:
    assert order_of(replace(wants(-300), valid=False)) is None
    assert residual_orders(START_S, [wants(-300)], [], {}, NO_DEBITS, RATES) == []


def test_a_balanced_participant_places_no_order() -> None:
    assert order_of(MeteredEnergy(A, Wh(5), Wh(5), valid=True)) is None


energy = st.integers(0, 3000)
limit = st.none() | st.integers(0, 6000)
participants = st.lists(
    st.tuples(energy, energy, st.booleans(), st.booleans(), limit, limit, st.integers(0, 10**7), st.integers(0, 2000)),
    min_size=1,
    max_size=12,
)


@given(participants)
@settings(max_examples=300)
def test_whole_intervals_agree_with_the_rules_coded_twice(
    rows: list[tuple[int, int, bool, bool, int | None, int | None, int, int]],
) -> None:
    metered, funds, traders, meters, truth_meters = [], {}, {}, {}, {}
    for n, (imported, exported, valid, trades, ask, bid, reserve, max_wh) in enumerate(rows):
        participant_id = UUID(int=n)
        metered.append(MeteredEnergy(participant_id, Wh(imported), Wh(exported), valid, ask, bid))  # type: ignore[arg-type]
        meters[f"M{n}"] = MeterTruth(imported, exported, "valid" if valid else "estimated")
        truth_meters[f"M{n}"] = ground_truth.TruthMeter(str(participant_id), 10**6)
        if trades:
            funds[participant_id] = replace(AMPLE, reserve_micros=Micros(reserve), max_wh=Wh(max_wh))
            traders[str(participant_id)] = ground_truth.Trader(
                max_debit_micros=reserve, max_wh=max_wh, max_price=5000, min_price=2200, ask=ask, bid=bid
            )
    outcome = run_auction(AuctionInput(START_S, metered, RATES, funds))
    site = ground_truth.Site(900, 10, truth_meters, traders)
    truth = ground_truth.settle(START_S, meters, site)
    assert outcome.clearing.price_mills == truth.price_mills
    assert outcome.clearing.volume_wh == truth.volume_wh
    for line in outcome.utility:
        bill = truth.bills[str(line.participant_id)]
        assert (line.utility_wh, line.amount_micros) == (bill.utility_wh, bill.utility_micros)
