"""Books whose clearing is known beforehand: the market's own list, and clearings of partly filled books."""

from uuid import UUID

import pytest

from hub.market.auction.clearing import clear
from hub.market.orders import Order, Side, residual_order_id
from hub.units import PriceMills, Wh

START_S = 1_780_308_000
Book = list[tuple[int, float]]


def orders(side: Side, book: Book, first: int) -> list[Order]:
    made = []
    for n, (wh, price) in enumerate(book):
        participant, mills = UUID(int=first + n), round(price * 1000)
        name = residual_order_id(START_S, participant, side, wh, mills)
        made.append(Order(name, START_S, participant, side, 0, Wh(wh), PriceMills(mills)))
    return made


ONE_TO_SEVEN: Book = [(1, n) for n in range(1, 8)]


@pytest.mark.parametrize(
    ("bids", "asks", "volume", "interval"),
    [
        ([(1, 22)], [(1, 20)], 1, (20, 22)),
        ([(1, 22)], [(1, 23)], 0, None),
        ([(6, 21), (6, 22)], [(10, 20)], 10, (21, 21)),
        ([(14, 21), (6, 22)], [(9, 18), (10, 20), (10, 21.5)], 19, (21, 21)),
        (ONE_TO_SEVEN, ONE_TO_SEVEN, 4, (4, 4)),
        ([], [(1, 20)], 0, None),
        ([], [], 0, None),
        # a rejected ask holds the price down, a rejected bid holds it up
        ([(5, 30)], [(5, 10), (1, 18)], 5, (10, 18)),
        ([(5, 30), (1, 25)], [(5, 10)], 5, (25, 30)),
        # both marginal orders are filled to the last Wh
        ([(3, 30), (2, 20)], [(5, 10)], 5, (10, 20)),
        # floor of the midpoint
        ([(1, 20.003)], [(1, 20)], 1, (20, 20.003)),
    ],
)
def test_known_answers(bids: Book, asks: Book, volume: int, interval: tuple[float, float] | None) -> None:
    cleared = clear(START_S, orders(Side.BID, bids, 1) + orders(Side.ASK, asks, 1001))
    assert cleared.volume_wh == volume
    assert sum(t.wh for t in cleared.trades) == volume
    if interval is None:
        assert (cleared.price_mills, cleared.low_mills, cleared.high_mills) == (None, None, None)
        return
    low, high = (round(p * 1000) for p in interval)
    assert (cleared.low_mills, cleared.high_mills) == (low, high)
    assert cleared.price_mills == (low + high) // 2


def test_equals_share_pro_rata_and_the_largest_remainder_gets_the_rest() -> None:
    asks = orders(Side.ASK, [(300, 2.2), (100, 2.2)], 1)
    cleared = clear(START_S, asks + orders(Side.BID, [(235, 4.12)], 9))
    assert {f.order.participant_id.int: f.wh for f in cleared.fills} == {1: 176, 2: 59, 9: 235}


def test_equal_remainders_go_by_participant_id() -> None:
    asks = orders(Side.ASK, [(10, 2), (10, 2), (10, 2)], 1)
    cleared = clear(START_S, [*reversed(asks), *orders(Side.BID, [(20, 4)], 9)])
    assert {f.order.participant_id.int: f.wh for f in cleared.fills} == {1: 7, 2: 7, 3: 6, 9: 20}


def test_an_earlier_order_is_filled_before_an_equal_later_one() -> None:
    late, early = orders(Side.ASK, [(10, 2), (10, 2)], 1)
    late = Order(late.order_id, START_S, late.participant_id, Side.ASK, 7, Wh(10), late.limit_mills)
    cleared = clear(START_S, [late, early, *orders(Side.BID, [(12, 4)], 9)])
    assert {f.order.participant_id.int: f.wh for f in cleared.fills} == {1: 2, 2: 10, 9: 12}
