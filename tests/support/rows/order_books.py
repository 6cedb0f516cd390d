"""Random order books for property tests, and the plainest possible ways to judge a clearing."""

from collections.abc import Sequence
from functools import cache
from uuid import UUID

from hypothesis import strategies as st

from hub.market.orders import Order, Side, residual_order_id
from hub.units import PriceMills, Wh

START_S = 1_780_308_000


def order(number: int, side: Side, wh: int, mills: int, sequence: int = 0) -> Order:
    participant = UUID(int=number)
    name = residual_order_id(START_S, participant, side, wh, mills)
    return Order(name, START_S, participant, side, sequence, Wh(wh), PriceMills(mills))


def books(*, orders: int, most_wh: int, most_mills: int) -> st.SearchStrategy[list[Order]]:
    """Books with few price levels, so that ties, marginal groups and exact fits are common."""
    one = st.tuples(st.sampled_from(Side), st.integers(1, most_wh), st.integers(0, most_mills))
    return st.lists(one, max_size=orders).map(lambda rows: [order(n, *row) for n, row in enumerate(rows)])


def best_by_brute_force(book: Sequence[Order]) -> tuple[int, int]:
    """(welfare, volume) of the best way to match single Wh, most volume among the best: tries every combination."""
    bids = tuple(o.limit_mills for o in book if o.side is Side.BID for _ in range(o.wh))
    asks = tuple(o.limit_mills for o in book if o.side is Side.ASK for _ in range(o.wh))

    @cache
    def best(i: int, free: frozenset[int]) -> tuple[int, int]:
        if i == len(bids):
            return 0, 0
        found = best(i + 1, free)
        for j in free:
            if bids[i] >= asks[j]:
                welfare, volume = best(i + 1, free - {j})
                found = max(found, (welfare + bids[i] - asks[j], volume + 1))
        return found

    return best(0, frozenset(range(len(asks))))
