"""Clears the ex-post auction of one interval, pure: residual orders in, one price and the trades out.

Welfare is the highest possible, and volume the highest with this welfare. The price is the middle of the equilibrium
prices. The same orders give the same trades in any process. The service stores the result; settlement plans it.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby

from hub.errors import PermanentError
from hub.market.orders import Order, Side, Trade, trade_id
from hub.units import PriceMills, Wh


class DuplicateOrderError(PermanentError):
    """A participant has two orders in one auction and could trade with themselves."""

    code = "duplicate_order"


class OrderMalformedError(PermanentError):
    """An order has no energy, a negative price, or another interval."""

    code = "order_malformed"


@dataclass(frozen=True, slots=True)
class Fill:
    """The part of an order that was traded; the rest lapses."""

    order: Order
    wh: Wh


@dataclass(frozen=True, slots=True)
class Clearing:
    """The result of an auction: one price for all trades.

    ``low_mills`` and ``high_mills`` bound the equilibrium prices; the prices are None when nothing crossed.
    """

    start_s: int
    price_mills: PriceMills | None
    low_mills: PriceMills | None
    high_mills: PriceMills | None
    volume_wh: Wh
    fills: tuple[Fill, ...]
    trades: tuple[Trade, ...]


def clear(start_s: int, orders: Iterable[Order]) -> Clearing:
    """Clears one interval.

    Raises:
        DuplicateOrderError: a participant has two orders.
        OrderMalformedError: an order has no energy, a negative price, or another interval.
    """
    book = _checked(start_s, orders)
    bids = sorted(
        (o for o in book if o.side is Side.BID), key=lambda o: (-o.limit_mills, o.sequence, o.participant_id.int)
    )
    asks = sorted(
        (o for o in book if o.side is Side.ASK), key=lambda o: (o.limit_mills, o.sequence, o.participant_id.int)
    )
    volume = _crossing_volume(bids, asks)
    if volume == 0:
        return Clearing(start_s, None, None, None, Wh(0), tuple(Fill(o, Wh(0)) for o in (*bids, *asks)), ())
    bid_fills, ask_fills = _allocate(bids, volume), _allocate(asks, volume)
    low, high = _equilibrium(bid_fills, ask_fills)
    price = PriceMills((low + high) // 2)
    trades = tuple(_pair(start_s, price, bid_fills, ask_fills))
    return Clearing(start_s, price, low, high, Wh(volume), (*bid_fills, *ask_fills), trades)


def _checked(start_s: int, orders: Iterable[Order]) -> Sequence[Order]:
    book = list(orders)
    participants_seen = set()
    for order in book:
        if order.wh < 1 or order.limit_mills < 0 or order.start_s != start_s:
            raise OrderMalformedError(
                f"Order {order.order_id.hex()} has {order.wh} Wh at {order.limit_mills} mills for interval "
                f"{order.start_s}: interval {start_s} takes at least 1 Wh at 0 mills or more"
            )
        if order.participant_id.int in participants_seen:
            raise DuplicateOrderError(f"Participant {order.participant_id} has two orders: merge them into one")
        participants_seen.add(order.participant_id.int)
    return book


def _crossing_volume(bids: Sequence[Order], asks: Sequence[Order]) -> int:
    """Returns the Wh at which the sorted curves cross: the most that can be traded without a loss to anybody."""
    volume = i = j = 0
    bid_open = bids[0].wh if bids else 0
    ask_open = asks[0].wh if asks else 0
    while i < len(bids) and j < len(asks) and bids[i].limit_mills >= asks[j].limit_mills:
        step = min(bid_open, ask_open)
        volume += step
        bid_open, ask_open = Wh(bid_open - step), Wh(ask_open - step)
        if bid_open == 0:
            i += 1
            bid_open = bids[i].wh if i < len(bids) else 0
        if ask_open == 0:
            j += 1
            ask_open = asks[j].wh if j < len(asks) else 0
    return volume


def _allocate(ranked: Sequence[Order], volume: int) -> list[Fill]:
    """Allocates the volume by price, then sequence; orders with the same price and sequence share pro rata."""
    fills: list[Fill] = []
    available = volume
    for _, tied in groupby(ranked, key=lambda o: (o.limit_mills, o.sequence)):
        group = list(tied)
        wanted = sum(o.wh for o in group)
        shares = [o.wh for o in group] if wanted <= available else _largest_remainder(group, wanted, available)
        fills.extend(Fill(order, wh) for order, wh in zip(group, shares, strict=True))
        available -= min(wanted, available)
    return fills


def _largest_remainder(group: Sequence[Order], wanted: int, available: int) -> list[Wh]:
    """Shares whole Wh in proportion by the largest remainder method; ties by participant id."""
    shares = [o.wh * available // wanted for o in group]
    by_remainder = sorted(
        range(len(group)), key=lambda i: (-(group[i].wh * available % wanted), group[i].participant_id.int)
    )
    for i in by_remainder[: available - sum(shares)]:
        shares[i] += 1
    return [Wh(share) for share in shares]


def _equilibrium(bids: Sequence[Fill], asks: Sequence[Fill]) -> tuple[PriceMills, PriceMills]:
    """Returns the lowest and the highest price at which every order agrees with its fill.

    At these prices no filled order would rather not trade, and no rejected order would rather trade. The open rest of a
    partly filled order counts as rejected.
    """
    last_bid = min(f.order.limit_mills for f in bids if f.wh)
    last_ask = max(f.order.limit_mills for f in asks if f.wh)
    rejected_bids = [f.order.limit_mills for f in bids if f.wh < f.order.wh]
    rejected_asks = [f.order.limit_mills for f in asks if f.wh < f.order.wh]
    return max([last_ask, *rejected_bids]), min([last_bid, *rejected_asks])


def _pair(start_s: int, price: PriceMills, bids: Sequence[Fill], asks: Sequence[Fill]) -> Iterator[Trade]:
    """Pairs both sides in their order, so that n fills give fewer than n trades."""
    sellers = iter([f for f in asks if f.wh])
    seller = next(sellers)
    offered = int(seller.wh)
    index = 0
    for buyer in bids:
        wanted = int(buyer.wh)
        while wanted:
            if offered == 0:
                seller = next(sellers)
                offered = seller.wh
            wh = min(wanted, offered)
            yield _trade(start_s, price, seller.order, buyer.order, index, Wh(wh))
            wanted, offered, index = wanted - wh, offered - wh, index + 1


def _trade(start_s: int, price: PriceMills, ask: Order, bid: Order, index: int, wh: Wh) -> Trade:
    return Trade(
        trade_id=trade_id(start_s, ask.order_id, bid.order_id, index, wh, price),
        start_s=start_s,
        kind="ex_post",
        seller_id=ask.participant_id,
        buyer_id=bid.participant_id,
        ask_order_id=ask.order_id,
        bid_order_id=bid.order_id,
        fill_index=index,
        wh=wh,
        price_mills=price,
    )
