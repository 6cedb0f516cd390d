"""The values of the market's pure core: orders, trades, and the charges on top of a price, all integers.

A price is what the seller gets. The id of an order or a trade is a hash of its content, so that clearing a journal
again gives the same ids.
"""

from dataclasses import dataclass
from enum import Enum
from hashlib import sha256
from struct import pack
from uuid import UUID

from hub.units import Micros, PriceMills, Wh

LINE_WH_LIMIT = 2**32
"""The trading program keeps the energy of a line in 32 bits: a participant trades less than this in an interval."""
RESIDUAL_SEQUENCE = 0
"""The sequence of every automatic order: none of them arrives before another."""


class Side(Enum):
    """Whether an order buys (bid) or sells (ask)."""

    BID = "bid"
    ASK = "ask"


@dataclass(frozen=True, slots=True)
class Order:
    """An order for one interval. ``limit_mills`` is a net price for both sides: what the seller gets, per kWh."""

    order_id: bytes
    start_s: int
    participant_id: UUID
    side: Side
    sequence: int
    wh: Wh
    limit_mills: PriceMills
    kind: str = "residual"


@dataclass(frozen=True, slots=True)
class Trade:
    """Energy that one participant sells to another. ``kind`` is forward or ex_post."""

    trade_id: bytes
    start_s: int
    kind: str
    seller_id: UUID
    buyer_id: UUID
    ask_order_id: bytes
    bid_order_id: bytes
    fill_index: int
    wh: Wh
    price_mills: PriceMills


@dataclass(frozen=True, slots=True)
class Rates:
    """Tariffs and charges in force at an interval's start, in mills per kWh."""

    wheeling_mills: PriceMills
    platform_mills: PriceMills
    loss_mills: PriceMills
    export_tariff_mills: PriceMills
    import_tariff_mills: PriceMills

    @property
    def charges_mills(self) -> PriceMills:
        """The sum that a buyer pays on top of the price, in mills per kWh."""
        return PriceMills(self.wheeling_mills + self.platform_mills + self.loss_mills)


def residual_order_id(start_s: int, participant: UUID, side: Side, wh: int, limit_mills: int) -> bytes:
    """Returns the id of an automatic order: 32 bytes, the hash of its content."""
    fields = pack("<q16sBQQ", start_s, participant.bytes, side is Side.ASK, wh, limit_mills)
    return sha256(b"peerwatt/order/1" + fields).digest()


def trade_id(
    start_s: int, ask_order_id: bytes, bid_order_id: bytes, fill_index: int, wh: int, price_mills: int
) -> bytes:
    """Returns the id of a trade: 32 bytes, the hash of interval, both order ids, fill index, Wh and price."""
    fields = pack("<q32s32sIQQ", start_s, ask_order_id, bid_order_id, fill_index, wh, price_mills)
    return sha256(b"peerwatt/trade/1" + fields).digest()


def credit(trade: Trade) -> Micros:
    """Returns what the seller gets; exact, as 1 Wh at 1 mill per kWh is 1 micro."""
    return Micros(trade.wh * trade.price_mills)


def debit(trade: Trade, charges_mills: PriceMills) -> Micros:
    """Returns what the buyer pays, charges included; exact."""
    return Micros(trade.wh * (trade.price_mills + charges_mills))
