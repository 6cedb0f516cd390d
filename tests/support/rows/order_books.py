"""Random order books for property tests, and the best clearing of a small one by brute force."""

from collections.abc import Sequence
from functools import cache
from uuid import UUID

from hypothesis import strategies as st

from hub.market.orders import Order, Side, residual_order_id
from hub.units import PriceMills, Wh

START_S = 1_780_308_000


def order(number: int, side: Side, wh: int, mills: int, sequence: int = 0) -> Order:
    """Returns an order of participant ``number``; ``mills`` is its net limit."""
    participant = UUID(int=number)
    order_id = residual_order_id(START_S, participant, side, wh, mills)
    return Order(order_id, START_S, participant, side, sequence, Wh(wh), PriceMills(mills))


def books(*, orders: int, max_wh: int, max_mills: int) -> st.SearchStrategy[list[Order]]:
    """Draws order books with few price levels, so that ties, marginal groups and exact fits are common."""
    rows = st.tuples(st.sampled_from(Side), st.integers(1, max_wh), st.integers(0, max_mills))
    return st.lists(rows, max_size=orders).map(lambda drawn: [order(n, *row) for n, row in enumerate(drawn)])


def best_by_brute_force(book: Sequence[Order]) -> tuple[int, int]:
    """Tries every way to match single Wh; returns the highest welfare (micros) and with it the highest volume (Wh)."""
    bids = tuple(o.limit_mills for o in book if o.side is Side.BID for _ in range(o.wh))
    asks = tuple(o.limit_mills for o in book if o.side is Side.ASK for _ in range(o.wh))

    @cache
    def best(i: int, free: frozenset[int]) -> tuple[int, int]:
        if i == len(bids):
            return 0, 0
        best_so_far = best(i + 1, free)
        for j in free:
            if bids[i] >= asks[j]:
                welfare, volume = best(i + 1, free - {j})
                best_so_far = max(best_so_far, (welfare + bids[i] - asks[j], volume + 1))
        return best_so_far

    return best(0, frozenset(range(len(asks))))
