"""What the market's pure core works on: orders, trades and the charges on top of a price, all integers.

A price is what the seller gets; identifiers are hashes of content, so that the same journal names the same trades.
"""

from dataclasses import dataclass
from enum import Enum
from hashlib import sha256
from struct import pack
from uuid import UUID

from hub.units import Micros, PriceMills, Wh

RESIDUAL_SEQUENCE = 0
"""All automatic orders of an interval arrive at once."""


class Side(Enum):
    """Which way the energy goes."""

    BID = "bid"
    ASK = "ask"


@dataclass(frozen=True, slots=True)
class Order:
    """A wish to trade in one interval; ``limit_mills`` is net for both sides: what the seller would get."""

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
    """Two fills that met; ``kind`` is forward or ex_post."""

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
        """What a buyer pays on top of the price."""
        return PriceMills(self.wheeling_mills + self.platform_mills + self.loss_mills)


def residual_order_id(start_s: int, participant: UUID, side: Side, wh: int, limit_mills: int) -> bytes:
    """The name of an automatic order, from its content."""
    words = pack("<q16sBQQ", start_s, participant.bytes, side is Side.ASK, wh, limit_mills)
    return sha256(b"peerwatt/order/1" + words).digest()


def trade_id(start_s: int, ask_order_id: bytes, bid_order_id: bytes, fill_index: int, wh: int, price: int) -> bytes:
    """The name of a trade: hash of interval, both order ids, fill index, quantity and price."""
    words = pack("<q32s32sIQQ", start_s, ask_order_id, bid_order_id, fill_index, wh, price)
    return sha256(b"peerwatt/trade/1" + words).digest()


def credit(trade: Trade) -> Micros:
    """What the seller gets, exact."""
    return Micros(trade.wh * trade.price_mills)


def debit(trade: Trade, charges_mills: PriceMills) -> Micros:
    """What the buyer pays, charges included, exact."""
    return Micros(trade.wh * (trade.price_mills + charges_mills))
