"""Encodes an interval's orders and trades for publication, and decodes them: anybody can clear the interval again.

A participant appears as a pseudonym, the rank in the order of the participant ids; ties of the clearing rule depend on
this order only. The bytes are canonical, and the settlement on the chain commits to their SHA-256.
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
_HEADER, _ORDER, _TRADE = Struct("<qQQII"), Struct("<32sIBqQQ"), Struct("<32s32s32sBIIIQQ")


class JournalMalformedError(PermanentError):
    """The bytes are no journal, or not in its canonical form."""

    code = "journal_malformed"


@dataclass(frozen=True, slots=True)
class PublishedJournal:
    """A decoded journal; the participant ids in it are ranks."""

    start_s: int
    price_mills: PriceMills | None
    charges_mills: PriceMills
    orders: tuple[Order, ...]
    trades: tuple[Trade, ...]


def journal_bytes(
    start_s: int, orders: Iterable[Order], trades: Iterable[Trade], price_mills: int | None, charges_mills: int
) -> bytes:
    """Encodes a journal canonically: orders by (participant, order id), trades by (kind, fill index, trade id)."""
    sorted_orders = sorted(orders, key=lambda o: (o.participant_id, o.order_id))
    sorted_trades = sorted(trades, key=lambda t: (t.kind, t.fill_index, t.trade_id))
    ranks = pseudonyms(sorted_orders, sorted_trades)
    price = _NO_PRICE if price_mills is None else price_mills
    parts = [_DOMAIN, _HEADER.pack(start_s, price, charges_mills, len(sorted_orders), len(sorted_trades))]
    parts += [_order_bytes(order, ranks[order.participant_id]) for order in sorted_orders]
    parts += [_trade_bytes(trade, ranks[trade.seller_id], ranks[trade.buyer_id]) for trade in sorted_trades]
    return b"".join(parts)


def journal_hash(
    start_s: int, orders: Iterable[Order], trades: Iterable[Trade], price_mills: int | None, charges_mills: int
) -> bytes:
    """Returns the SHA-256 of the canonical bytes; 32 bytes."""
    return sha256(journal_bytes(start_s, orders, trades, price_mills, charges_mills)).digest()


def pseudonyms(orders: Sequence[Order], trades: Sequence[Trade]) -> dict[UUID, int]:
    """Returns the rank, from 0, of every participant who ordered or traded in the interval."""
    participant_ids = {o.participant_id for o in orders} | {t.seller_id for t in trades} | {t.buyer_id for t in trades}
    return {participant_id: rank for rank, participant_id in enumerate(sorted(participant_ids))}


def read_journal(data: bytes) -> PublishedJournal:
    """Decodes the canonical bytes of a journal.

    Raises:
        JournalMalformedError: the bytes are no journal, or not in its canonical form.
    """
    try:
        journal = _decode(data)
    except (error, ValueError) as fault:
        raise JournalMalformedError(f"These {len(data)} bytes are no journal ({fault}): ask for it again") from fault
    again = journal_bytes(journal.start_s, journal.orders, journal.trades, journal.price_mills, journal.charges_mills)
    if again != data:
        raise JournalMalformedError("The journal is not in its canonical form: its orders, trades or ranks are not")
    return journal


def _decode(data: bytes) -> PublishedJournal:
    if not data.startswith(_DOMAIN):
        raise ValueError("it does not begin as one")
    header_at = len(_DOMAIN)
    start_s, price, charges, order_count, trade_count = _HEADER.unpack_from(data, header_at)
    orders_at = header_at + _HEADER.size
    trades_at = orders_at + order_count * _ORDER.size
    if len(data) != trades_at + trade_count * _TRADE.size:
        raise ValueError(f"it names {order_count} orders and {trade_count} trades, which have another length")
    return PublishedJournal(
        start_s=start_s,
        price_mills=None if price == _NO_PRICE else PriceMills(price),
        charges_mills=PriceMills(charges),
        orders=tuple(_order_of(start_s, *fields) for fields in _ORDER.iter_unpack(data[orders_at:trades_at])),
        trades=tuple(_trade_of(start_s, *fields) for fields in _TRADE.iter_unpack(data[trades_at:])),
    )


def _order_bytes(order: Order, rank: int) -> bytes:
    ask = order.side is Side.ASK
    return _ORDER.pack(order.order_id, rank, ask, order.sequence, order.wh, order.limit_mills)


def _order_of(start_s: int, order_id: bytes, rank: int, ask: int, sequence: int, wh: int, limit_mills: int) -> Order:
    side = Side.ASK if ask else Side.BID
    return Order(order_id, start_s, UUID(int=rank), side, sequence, Wh(wh), PriceMills(limit_mills))


def _trade_bytes(trade: Trade, seller_rank: int, buyer_rank: int) -> bytes:
    ids = trade.trade_id, trade.ask_order_id, trade.bid_order_id
    forward = trade.kind == "forward"
    return _TRADE.pack(*ids, forward, seller_rank, buyer_rank, trade.fill_index, trade.wh, trade.price_mills)


def _trade_of(
    start_s: int, trade_id: bytes, ask_id: bytes, bid_id: bytes, forward: int, seller: int, buyer: int, *figures: int
) -> Trade:
    fill_index, wh, price_mills = figures
    kind = "forward" if forward else "ex_post"
    parties = UUID(int=seller), UUID(int=buyer)
    return Trade(trade_id, start_s, kind, *parties, ask_id, bid_id, fill_index, Wh(wh), PriceMills(price_mills))
