"""The interval's orders and trades as they are published, so that an outsider can clear it again, and their hash.

Participants appear as their rank in the order of their ids: pseudonyms that keep every tie of the clearing rule. The
bytes are canonical; the settlement on the chain commits to their SHA-256.
"""

from collections.abc import Iterable, Sequence
from hashlib import sha256
from struct import pack
from uuid import UUID

from hub.market.orders import Order, Side, Trade

_DOMAIN = b"peerwatt/journal/1"
_NO_PRICE = 2**64 - 1


def journal_bytes(
    start_s: int, orders: Iterable[Order], trades: Iterable[Trade], price_mills: int | None, charges_mills: int
) -> bytes:
    """Canonical bytes: orders by (participant, order id), trades by (kind, fill index, trade id), little endian."""
    book = sorted(orders, key=lambda o: (o.participant_id, o.order_id))
    fills = sorted(trades, key=lambda t: (t.kind, t.fill_index, t.trade_id))
    rank = pseudonyms(book, fills)
    price = _NO_PRICE if price_mills is None else price_mills
    parts = [_DOMAIN, pack("<qQQII", start_s, price, charges_mills, len(book), len(fills))]
    parts += [_order(o, rank[o.participant_id]) for o in book]
    parts += [_trade(t, rank[t.seller_id], rank[t.buyer_id]) for t in fills]
    return b"".join(parts)


def journal_hash(
    start_s: int, orders: Iterable[Order], trades: Iterable[Trade], price_mills: int | None, charges_mills: int
) -> bytes:
    """SHA-256 of the canonical bytes; 32 bytes."""
    return sha256(journal_bytes(start_s, orders, trades, price_mills, charges_mills)).digest()


def pseudonyms(orders: Sequence[Order], trades: Sequence[Trade]) -> dict[UUID, int]:
    """Everybody's rank among those who ordered or traded in the interval."""
    people = {o.participant_id for o in orders} | {t.seller_id for t in trades} | {t.buyer_id for t in trades}
    return {participant: rank for rank, participant in enumerate(sorted(people))}


def _order(order: Order, rank: int) -> bytes:
    ask = order.side is Side.ASK
    return order.order_id + pack("<IBqQQ", rank, ask, order.sequence, order.wh, order.limit_mills)


def _trade(trade: Trade, seller: int, buyer: int) -> bytes:
    names = trade.trade_id + trade.ask_order_id + trade.bid_order_id
    forward = trade.kind == "forward"
    return names + pack("<BIIIQQ", forward, seller, buyer, trade.fill_index, trade.wh, trade.price_mills)
