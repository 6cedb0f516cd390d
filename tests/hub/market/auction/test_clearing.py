"""The auction compared with brute force, with a linear programme and with a second implementation."""

import random
import subprocess
import sys
from uuid import UUID

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import linprog

from hub.demo import ground_truth
from hub.market.auction.clearing import Clearing, DuplicateOrderError, OrderMalformedError, clear
from hub.market.orders import Order, Side, Trade, trade_id
from hub.units import PriceMills, Wh
from support.rows.order_books import START_S, best_by_brute_force, books, order


def welfare(clearing: Clearing) -> int:
    """Returns what both sides gain over their limits, in micros."""
    limits = {f.order.order_id: f.order.limit_mills for f in clearing.fills}
    return sum(t.wh * (limits[t.bid_order_id] - limits[t.ask_order_id]) for t in clearing.trades)


@given(books(orders=6, max_wh=2, max_mills=6))
@settings(max_examples=150)
def test_volume_and_welfare_are_the_best_there_are(book: list[Order]) -> None:
    clearing = clear(START_S, book)
    assert (welfare(clearing), clearing.volume_wh) == best_by_brute_force(book)


@given(books(orders=40, max_wh=50, max_mills=12))
@settings(max_examples=300)
def test_the_rules_coded_twice_agree(book: list[Order]) -> None:
    clearing = clear(START_S, book)
    bids = {str(o.participant_id): (int(o.limit_mills), int(o.wh)) for o in book if o.side is Side.BID}
    asks = {str(o.participant_id): (int(o.limit_mills), int(o.wh)) for o in book if o.side is Side.ASK}
    price, bought, sold = ground_truth.auction(bids, asks)
    assert clearing.price_mills == price
    filled = {str(f.order.participant_id): f.wh for f in clearing.fills}
    assert {p: wh for p, wh in filled.items() if wh} == {p: wh for p, wh in (bought | sold).items() if wh}


@given(books(orders=40, max_wh=50, max_mills=12), st.randoms(use_true_random=False))
@settings(max_examples=100)
def test_the_order_of_arrival_changes_nothing(book: list[Order], rng: random.Random) -> None:
    shuffled = list(book)
    rng.shuffle(shuffled)
    assert clear(START_S, shuffled) == clear(START_S, book)


@given(books(orders=40, max_wh=50, max_mills=12))
@settings(max_examples=200)
def test_everybody_is_at_their_best_at_the_price(book: list[Order]) -> None:
    """Orders with a limit better than the price trade whole, orders with a worse limit not at all."""
    clearing = clear(START_S, book)
    if clearing.price_mills is None:
        return
    assert clearing.low_mills is not None and clearing.high_mills is not None
    assert clearing.low_mills <= clearing.price_mills <= clearing.high_mills
    for fill in clearing.fills:
        gain = (fill.order.limit_mills - clearing.price_mills) * (1 if fill.order.side is Side.BID else -1)
        if fill.wh:
            assert gain >= 0
        if fill.wh < fill.order.wh:
            # the midpoint is floored: an ask between the floor and the exact midpoint can not exist in whole mills
            assert gain <= 0


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_large_books_are_as_good_as_a_linear_programme(seed: int) -> None:
    rng = random.Random(seed)
    book = [order(n, rng.choice(list(Side)), rng.randint(1, 5000), rng.randint(2200, 4870)) for n in range(600)]
    gain = np.array([o.limit_mills if o.side is Side.BID else -o.limit_mills for o in book])
    sign = np.array([[1 if o.side is Side.BID else -1 for o in book]])
    best = linprog(-gain, A_eq=sign, b_eq=[0], bounds=[(0, o.wh) for o in book], method="highs")
    clearing = clear(START_S, book)
    assert welfare(clearing) == round(-best.fun)
    assert abs(best.fun + welfare(clearing)) < 1e-3


def test_volume_includes_what_gains_nothing() -> None:
    assert clear(START_S, [order(1, Side.BID, 5, 3), order(2, Side.ASK, 5, 3)]).volume_wh == 5


def test_a_second_order_of_one_participant_is_refused() -> None:
    twice = [order(1, Side.BID, 5, 9), order(1, Side.ASK, 5, 3)]
    with pytest.raises(DuplicateOrderError, match="merge them") as refused:
        clear(START_S, twice)
    assert refused.value.code == "duplicate_order"


@pytest.mark.parametrize(("wh", "mills", "start_s"), [(0, 3, START_S), (-1, 3, START_S), (1, -1, START_S), (1, 3, 0)])
def test_an_order_that_no_book_may_hold_is_refused(wh: int, mills: int, start_s: int) -> None:
    good = order(1, Side.BID, 5, 9)
    bad = Order(good.order_id, start_s, UUID(int=2), Side.ASK, 0, wh, mills)  # type: ignore[arg-type]
    with pytest.raises(OrderMalformedError) as refused:
        clear(START_S, [good, bad])
    assert refused.value.code == "order_malformed"


def test_the_smallest_orders_trade() -> None:
    bid, ask = order(1, Side.BID, 1, 0), order(2, Side.ASK, 1, 0)
    clearing = clear(START_S, [bid, ask])
    assert (clearing.price_mills, clearing.low_mills, clearing.high_mills, clearing.volume_wh) == (0, 0, 0, 1)
    assert [(fill.order, fill.wh) for fill in clearing.fills] == [(bid, 1), (ask, 1)]


def test_trades_carry_their_orders_and_are_numbered_from_0() -> None:
    bid, first, second = order(1, Side.BID, 7, 9), order(2, Side.ASK, 4, 2), order(3, Side.ASK, 5, 3)
    clearing = clear(START_S, [second, bid, first])
    # 2 Wh of the second ask stay open at 3: the price is between that and the bid's 9, and below what was refused
    assert (clearing.price_mills, clearing.low_mills, clearing.high_mills) == (3, 3, 3)
    assert clearing.trades == tuple(
        Trade(
            trade_id(START_S, ask.order_id, bid.order_id, index, wh, 3), START_S, "ex_post", ask.participant_id,
            bid.participant_id, ask.order_id, bid.order_id, index, Wh(wh), PriceMills(3),
        )
        for index, (ask, wh) in enumerate([(first, 4), (second, 3)])
    )  # fmt: skip


def test_nothing_that_crosses_fills_nothing() -> None:
    bid, ask = order(1, Side.BID, 5, 2), order(2, Side.ASK, 5, 3)
    clearing = clear(START_S, [bid, ask])
    assert (clearing.price_mills, clearing.low_mills, clearing.high_mills, clearing.volume_wh) == (None, None, None, 0)
    assert [(fill.order, fill.wh) for fill in clearing.fills] == [(bid, 0), (ask, 0)]
    assert clearing.trades == ()


def test_an_earlier_sequence_trades_first() -> None:
    bids = [order(1, Side.BID, 5, 9, sequence=2), order(2, Side.BID, 5, 9, sequence=1)]
    asks = [order(3, Side.ASK, 4, 1, sequence=2), order(4, Side.ASK, 6, 1, sequence=1)]
    cleared = clear(START_S, [*bids, asks[1]])
    assert {fill.order.participant_id.int: fill.wh for fill in cleared.fills} == {2: 5, 1: 1, 4: 6}
    cleared = clear(START_S, [bids[0], *asks])
    assert {fill.order.participant_id.int: fill.wh for fill in cleared.fills} == {1: 5, 4: 5, 3: 0}


SCRIPT = """
import random
from hub.market.auction.clearing import clear
from hub.market.published_journal import journal_bytes
from hub.market.orders import Side
from support.rows.order_books import START_S, order
rng = random.Random(5)
book = [order(n, rng.choice(list(Side)), rng.randint(1, 99), rng.randint(1, 9)) for n in range(200)]
cleared = clear(START_S, book)
print(journal_bytes(START_S, book, cleared.trades, cleared.price_mills, 130).hex())
"""


def test_any_process_and_hash_seed_give_the_same_bytes(pytestconfig: pytest.Config) -> None:
    outputs = {
        subprocess.run(
            [sys.executable, "-c", SCRIPT],
            env={"PYTHONHASHSEED": seed, "PYTHONPATH": str(pytestconfig.rootpath / "tests")},
            cwd=pytestconfig.rootpath, capture_output=True, check=True,
        ).stdout
        for seed in ("0", "1", "4242")
    }  # fmt: skip
    assert len(outputs) == 1
    assert len(outputs.pop()) > 10_000
