"""From a participant's metered energy and forward trades to the automatic order of the auction, pure.

A residual becomes an ask or a bid at the standing limits, cut to what mandate and funds allow; the rest is utility
energy. A participant with an estimated meter, or without wallet and mandate, places no order.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from uuid import UUID

from hub.market.funds import ParticipantFunds
from hub.market.orders import RESIDUAL_SEQUENCE, Order, Rates, Side, Trade, debit, residual_order_id
from hub.units import Micros, PriceMills, Wh

DEFAULT_BID_PERCENT = 85
"""A default all-in bid, in percent of the import tariff."""

_NO_WH, _NOTHING = Wh(0), Micros(0)


@dataclass(frozen=True, slots=True)
class Metered:
    """A participant's interval: all their meters together, and the standing limits (None: the market's default)."""

    participant_id: UUID
    import_wh: Wh
    export_wh: Wh
    valid: bool
    ask_limit_mills: PriceMills | None = None
    bid_limit_mills: PriceMills | None = None


@dataclass(frozen=True, slots=True)
class Position:
    """What a participant has already traded in the interval; debit with charges."""

    sold_wh: Wh = _NO_WH
    bought_wh: Wh = _NO_WH
    debit_micros: Micros = _NOTHING


@dataclass(frozen=True, slots=True)
class Unsettled:
    """Debits that are agreed but not yet on the chain: in all, this interval's included, and of the delivery day."""

    total_micros: Micros = _NOTHING
    day_micros: Micros = _NOTHING


def positions(trades: Iterable[Trade], charges_mills: PriceMills) -> dict[UUID, Position]:
    """Everybody's sums of these trades."""
    sums: dict[UUID, Position] = {}
    for t in trades:
        seller = sums.get(t.seller_id, Position())
        sums[t.seller_id] = Position(Wh(seller.sold_wh + t.wh), seller.bought_wh, seller.debit_micros)
        buyer = sums.get(t.buyer_id, Position())
        owed = Micros(buyer.debit_micros + debit(t, charges_mills))
        sums[t.buyer_id] = Position(buyer.sold_wh, Wh(buyer.bought_wh + t.wh), owed)
    return sums


def residual_wh(metered: Metered, position: Position) -> int:
    """``(export - import) - (sold - bought)``, signed: positive is for sale."""
    return (metered.export_wh - metered.import_wh) - (position.sold_wh - position.bought_wh)


def residual_orders(
    start_s: int,
    metered: Iterable[Metered],
    forward: Iterable[Trade],
    funds: Mapping[UUID, ParticipantFunds],
    unsettled: Mapping[UUID, Unsettled],
    rates: Rates,
) -> list[Order]:
    """The automatic orders of an interval, in order of participant id."""
    traded = positions(forward, rates.charges_mills)
    orders = (
        _order(start_s, m, traded.get(m.participant_id, Position()), funds[m.participant_id], owed, rates)
        for m in sorted(metered, key=lambda m: m.participant_id)
        if m.valid and m.participant_id in funds
        for owed in (unsettled.get(m.participant_id, Unsettled()),)
    )
    return [order for order in orders if order is not None]


def _order(
    start_s: int, metered: Metered, position: Position, funds: ParticipantFunds, owed: Unsettled, rates: Rates
) -> Order | None:
    residual = residual_wh(metered, position)
    if residual > 0:
        limit = ask_limit(metered, funds, rates)
        wh = min(residual, max(0, funds.max_wh - position.sold_wh))
        return _named(start_s, metered.participant_id, Side.ASK, wh, limit)
    all_in = bid_limit(metered, funds, rates)
    net = all_in - rates.charges_mills
    if residual == 0 or net < 0:
        return None
    affordable = exposure_left(position, funds, owed) // all_in if all_in else -residual
    wh = min(-residual, affordable, max(0, funds.max_wh - position.bought_wh))
    return _named(start_s, metered.participant_id, Side.BID, wh, PriceMills(net))


def ask_limit(metered: Metered, funds: ParticipantFunds, rates: Rates) -> PriceMills:
    """Net; never below the export tariff or the mandate's minimum."""
    return max(metered.ask_limit_mills or PriceMills(0), rates.export_tariff_mills, funds.min_price_mills)


def bid_limit(metered: Metered, funds: ParticipantFunds, rates: Rates) -> PriceMills:
    """All-in; never above the import tariff or the mandate's maximum."""
    default = PriceMills(rates.import_tariff_mills * DEFAULT_BID_PERCENT // 100)
    standing = default if metered.bid_limit_mills is None else metered.bid_limit_mills
    return min(standing, rates.import_tariff_mills, funds.max_price_mills)


def exposure_left(position: Position, funds: ParticipantFunds, owed: Unsettled) -> Micros:
    """How much more a participant may owe: within funds, the mandate's interval limit and its day limit."""
    covered = min(funds.balance_micros, funds.reserve_micros) - owed.total_micros
    interval = funds.max_debit_micros - position.debit_micros
    day = funds.max_day_debit_micros - funds.day_debit_micros - owed.day_micros
    return Micros(max(0, min(covered, interval, day)))


def _named(start_s: int, participant: UUID, side: Side, wh: int, limit: PriceMills) -> Order | None:
    if wh < 1:
        return None
    order_id = residual_order_id(start_s, participant, side, wh, limit)
    return Order(order_id, start_s, participant, side, RESIDUAL_SEQUENCE, Wh(wh), limit)
