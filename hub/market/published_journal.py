"""The interval's orders and trades as they are published, so that an outsider can clear it again, and their hash.

Participants appear as their rank in the order of their ids: pseudonyms that keep every tie of the clearing rule. The
bytes are canonical; the settlement on the chain commits to their SHA-256.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from hashlib import sha256
from struct import Struct, error
from uuid import UUID

from hub.errors import PermanentError
from hub.market.orders import Order, Side, Trade
from hub.units import PriceMills, Wh

_DOMAIN = b"peerwatt/journal/1"
_NO_PRICE = 2**64 - 1
_HEAD, _ORDER, _TRADE = Struct("<qQQII"), Struct("<32sIBqQQ"), Struct("<32s32s32sBIIIQQ")


class JournalMalformedError(PermanentError):
    """Bytes that are no journal, or not in its canonical form."""

    code = "journal_malformed"


@dataclass(frozen=True, slots=True)
class Published:
    """A journal as an outsider reads it: a participant's id is their rank, which keeps the order of the ids."""

    start_s: int
    price_mills: PriceMills | None
    charges_mills: PriceMills
    orders: tuple[Order, ...]
    trades: tuple[Trade, ...]


def journal_bytes(
    start_s: int, orders: Iterable[Order], trades: Iterable[Trade], price_mills: int | None, charges_mills: int
) -> bytes:
    """Canonical bytes: orders by (participant, order id), trades by (kind, fill index, trade id), little endian."""
    book = sorted(orders, key=lambda o: (o.participant_id, o.order_id))
    fills = sorted(trades, key=lambda t: (t.kind, t.fill_index, t.trade_id))
    rank = pseudonyms(book, fills)
    price = _NO_PRICE if price_mills is None else price_mills
    parts = [_DOMAIN, _HEAD.pack(start_s, price, charges_mills, len(book), len(fills))]
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


def read_journal(data: bytes) -> Published:
    """What was published, from its canonical bytes.

    Raises:
        JournalMalformedError: anything else.
    """
    try:
        found = _read(data)
    except (error, ValueError) as fault:
        raise JournalMalformedError(f"These {len(data)} bytes are no journal ({fault}): ask for it again") from fault
    if journal_bytes(found.start_s, found.orders, found.trades, found.price_mills, found.charges_mills) != data:
        raise JournalMalformedError("The journal is not in its canonical form: its orders, trades or ranks are not")
    return found


def _read(data: bytes) -> Published:
    if not data.startswith(_DOMAIN):
        raise ValueError("it does not begin as one")
    at = len(_DOMAIN)
    start_s, price, charges, order_count, trade_count = _HEAD.unpack_from(data, at)
    orders_at = at + _HEAD.size
    trades_at = orders_at + order_count * _ORDER.size
    if len(data) != trades_at + trade_count * _TRADE.size:
        raise ValueError(f"it names {order_count} orders and {trade_count} trades, which have another length")
    orders = tuple(_order_of(start_s, *words) for words in _ORDER.iter_unpack(data[orders_at:trades_at]))
    trades = tuple(_trade_of(start_s, *words) for words in _TRADE.iter_unpack(data[trades_at:]))
    return Published(start_s, None if price == _NO_PRICE else PriceMills(price), PriceMills(charges), orders, trades)


def _order(order: Order, rank: int) -> bytes:
    ask = order.side is Side.ASK
    return _ORDER.pack(order.order_id, rank, ask, order.sequence, order.wh, order.limit_mills)


def _order_of(start_s: int, order_id: bytes, rank: int, ask: int, sequence: int, wh: int, limit_mills: int) -> Order:
    side = Side.ASK if ask else Side.BID
    return Order(order_id, start_s, UUID(int=rank), side, sequence, Wh(wh), PriceMills(limit_mills))


def _trade(trade: Trade, seller: int, buyer: int) -> bytes:
    names = trade.trade_id, trade.ask_order_id, trade.bid_order_id
    forward = trade.kind == "forward"
    return _TRADE.pack(*names, forward, seller, buyer, trade.fill_index, trade.wh, trade.price_mills)


def _trade_of(
    start_s: int, trade_id: bytes, ask_id: bytes, bid_id: bytes, forward: int, seller: int, buyer: int, *figures: int
) -> Trade:
    fill_index, wh, price_mills = figures
    kind = "forward" if forward else "ex_post"
    people = UUID(int=seller), UUID(int=buyer)
    return Trade(trade_id, start_s, kind, *people, ask_id, bid_id, fill_index, Wh(wh), PriceMills(price_mills))
