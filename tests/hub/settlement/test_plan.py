"""Plans from trades: netting, the order of lines, batches of steps, and trades that can not be planned."""

from hashlib import sha256
from uuid import UUID

import pytest
from hypothesis import given, settings

from edge.wire import merkle
from hub.market.auction.clearing import clear
from hub.market.orders import Order, Trade
from hub.settlement.lines import Line, line_leaf
from hub.settlement.plan import Plan, PlanError, plan
from hub.units import Micros, PriceMills, Wh
from support.rows.order_books import START_S, books
from support.rows.worked_example import RATES


def trade(number: int, seller: int, buyer: int, wh: int, mills: int) -> Trade:
    any_id = bytes([number]) * 32
    parties = UUID(int=seller), UUID(int=buyer)
    return Trade(any_id, START_S, "ex_post", *parties, any_id, any_id, number, Wh(wh), PriceMills(mills))


WALLETS = {UUID(int=n): sha256(bytes([n])).digest() for n in range(60)}


def planned(*trades: Trade, batch_lines: int = 16, minted_wh: int = 0) -> Plan:
    return plan(START_S, trades, WALLETS, RATES, minted_wh=Wh(minted_wh), batch_lines=batch_lines)


def test_a_participant_has_one_line_of_gross_figures() -> None:
    settlement = planned(trade(0, 1, 2, 600, 3000), trade(1, 2, 3, 100, 4120))
    lines = {line.participant_id.int: line for line in settlement.lines}
    assert (lines[2].sold_wh, lines[2].bought_wh) == (100, 600)
    assert (lines[2].credit_micros, lines[2].debit_micros) == (412_000, 600 * 3130)


def test_payers_come_first_each_group_in_order_of_names() -> None:
    settlement = planned(trade(0, 9, 8, 10, 3000), trade(1, 1, 7, 10, 3000), trade(2, 5, 2, 10, 3000))
    assert [line.participant_id.int for line in settlement.lines] == [2, 7, 8, 1, 5, 9]
    assert [line.pays for line in settlement.lines] == [True] * 3 + [False] * 3


def test_the_leaf_is_put_together_byte_by_byte() -> None:
    (payer, _) = planned(trade(0, 1, 2, 600, 3000)).lines
    preimage = START_S.to_bytes(8, "little") + (7).to_bytes(4, "little") + WALLETS[UUID(int=2)]
    preimage += b"".join(figure.to_bytes(8, "little") for figure in (0, 600, 0, 600 * 3130))
    assert line_leaf(START_S, 7, payer) == sha256(b"peerwatt/line/1" + preimage).digest()


def test_the_trading_program_knows_the_same_leaf() -> None:
    """The same figures stand in programs/trading/src/state/line.rs."""
    line = Line(UUID(int=1), bytes([7]) * 32, Wh(100), Wh(600), Micros(412_000), Micros(1_878_000))
    assert line_leaf(1_750_000_500, 3, line).hex() == (
        "aacff46c33207f5de29a4cf5f01da1dbe3036bbfff39b34f7ca6a77899c271c7"
    )


def test_the_root_is_over_the_leaves_in_their_order() -> None:
    settlement = planned(trade(0, 1, 2, 600, 3000), trade(1, 2, 3, 100, 4120))
    leaves = [line_leaf(START_S, i, line) for i, line in enumerate(settlement.lines)]
    assert settlement.lines_root == merkle.root(leaves)
    assert merkle.verify(leaves[2], 2, 3, merkle.path(leaves, 2), settlement.lines_root)


def test_steps_cut_the_lines_into_batches() -> None:
    settlement = planned(*(trade(n, 2 * n, 2 * n + 1, 10, 3000) for n in range(9)), batch_lines=7)
    assert [(s.kind, s.batch, s.first_line, s.end_line) for s in settlement.steps] == [
        ("attest", 0, None, None),
        ("mint", 0, None, None),
        ("open", 0, None, None),
        ("settle", 0, 0, 7),
        ("settle", 1, 7, 14),
        ("settle", 2, 14, 18),
        ("close", 0, None, None),
    ]


def test_an_interval_without_trades_is_attested_minted_and_closed() -> None:
    settlement = planned(minted_wh=1234)
    assert [s.kind for s in settlement.steps] == ["attest", "mint", "close"]
    assert (settlement.lines, settlement.minted_wh, settlement.totals.charges_micros) == ((), 1234, 0)
    assert settlement.lines_root == merkle.root([])


def test_a_trader_without_a_wallet_stops_the_plan() -> None:
    with pytest.raises(PlanError, match="link it"):
        planned(trade(0, 1, 99, 600, 3000))


def test_more_energy_than_a_line_holds_stops_the_plan() -> None:
    with pytest.raises(PlanError, match="2\\^32"):
        planned(trade(0, 1, 2, 2**32, 3000))


@given(books(orders=40, max_wh=500, max_mills=5000))
@settings(max_examples=150)
def test_lines_add_up_to_the_last_micro(book: list[Order]) -> None:
    trades = clear(START_S, book).trades
    settlement = planned(*trades, batch_lines=3)
    totals = settlement.totals
    assert totals.sold_wh == totals.bought_wh == sum(t.wh for t in trades)
    assert totals.credit_micros == sum(t.wh * t.price_mills for t in trades)
    assert totals.debit_micros - totals.credit_micros == totals.charges_micros == totals.sold_wh * 130
    paid_in = sum(line.debit_micros - line.credit_micros for line in settlement.lines if line.pays)
    paid_out = sum(line.credit_micros - line.debit_micros for line in settlement.lines if not line.pays)
    assert paid_in == paid_out + totals.charges_micros
    batches = [(s.first_line, s.end_line) for s in settlement.steps if s.kind == "settle"]
    assert [i for first, end in batches for i in range(first or 0, end or 0)] == list(range(len(settlement.lines)))
