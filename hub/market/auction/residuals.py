"""Derives the automatic orders of the auction from metered energy and forward trades, pure.

A residual becomes an ask or a bid at the participant's standing limits, at most as large as mandate and funds allow;
the rest is utility energy. A participant with an estimated meter, or without wallet or mandate, places no order.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from uuid import UUID

from hub.market.funds import ParticipantFunds
from hub.market.orders import LINE_WH_LIMIT, RESIDUAL_SEQUENCE, Order, Rates, Side, Trade, debit, residual_order_id
from hub.units import Micros, PriceMills, Wh

DEFAULT_BID_PERCENT = 85
"""The default all-in bid, in percent of the import tariff."""

_ZERO_WH, _ZERO_MICROS = Wh(0), Micros(0)


@dataclass(frozen=True, slots=True)
class MeteredEnergy:
    """A participant's energy in an interval, summed over their meters, and their standing limits.

    A limit that is None is the market's default; ``bid_limit_mills`` is all-in.
    """

    participant_id: UUID
    import_wh: Wh
    export_wh: Wh
    valid: bool
    ask_limit_mills: PriceMills | None = None
    bid_limit_mills: PriceMills | None = None


@dataclass(frozen=True, slots=True)
class Position:
    """The sums of a participant's trades in the interval; the debit includes charges."""

    sold_wh: Wh = _ZERO_WH
    bought_wh: Wh = _ZERO_WH
    debit_micros: Micros = _ZERO_MICROS


@dataclass(frozen=True, slots=True)
class UnsettledDebits:
    """Debits that are agreed but not yet on the chain: in total, and of the delivery day; both with this interval's."""

    total_micros: Micros = _ZERO_MICROS
    day_micros: Micros = _ZERO_MICROS


def positions(trades: Iterable[Trade], charges_mills: PriceMills) -> dict[UUID, Position]:
    """Sums trades by participant."""
    by_participant: dict[UUID, Position] = {}
    for trade in trades:
        seller = by_participant.get(trade.seller_id, Position())
        by_participant[trade.seller_id] = Position(Wh(seller.sold_wh + trade.wh), seller.bought_wh, seller.debit_micros)
        buyer = by_participant.get(trade.buyer_id, Position())
        debit_micros = Micros(buyer.debit_micros + debit(trade, charges_mills))
        by_participant[trade.buyer_id] = Position(buyer.sold_wh, Wh(buyer.bought_wh + trade.wh), debit_micros)
    return by_participant


def residual_wh(metered: MeteredEnergy, position: Position) -> int:
    """Returns ``(export - import) - (sold - bought)`` in Wh: positive is to sell, negative to buy."""
    return (metered.export_wh - metered.import_wh) - (position.sold_wh - position.bought_wh)


def residual_orders(
    start_s: int,
    metered: Iterable[MeteredEnergy],
    forward: Iterable[Trade],
    funds: Mapping[UUID, ParticipantFunds],
    unsettled: Mapping[UUID, UnsettledDebits],
    rates: Rates,
) -> list[Order]:
    """Returns the automatic orders of an interval, sorted by participant id."""
    traded = positions(forward, rates.charges_mills)
    orders = (
        _order(
            start_s,
            energy,
            traded.get(energy.participant_id, Position()),
            funds[energy.participant_id],
            unsettled.get(energy.participant_id, UnsettledDebits()),
            rates,
        )
        for energy in sorted(metered, key=lambda energy: energy.participant_id)
        if energy.valid and energy.participant_id in funds
    )
    return [order for order in orders if order is not None]


def _order(
    start_s: int,
    metered: MeteredEnergy,
    position: Position,
    funds: ParticipantFunds,
    unsettled: UnsettledDebits,
    rates: Rates,
) -> Order | None:
    residual = residual_wh(metered, position)
    max_wh = min(funds.max_wh, LINE_WH_LIMIT - 1)
    if residual > 0:
        limit_mills = ask_limit(metered, funds, rates)
        wh = min(residual, max(0, max_wh - position.sold_wh))
        return _residual_order(start_s, metered.participant_id, Side.ASK, wh, limit_mills)
    all_in_mills = bid_limit(metered, funds, rates)
    net_mills = all_in_mills - rates.charges_mills
    if net_mills < 0:
        return None
    affordable_wh = exposure_left(position, funds, unsettled) // all_in_mills if all_in_mills else -residual
    wh = min(-residual, affordable_wh, max(0, max_wh - position.bought_wh))
    return _residual_order(start_s, metered.participant_id, Side.BID, wh, PriceMills(net_mills))


def ask_limit(metered: MeteredEnergy, funds: ParticipantFunds, rates: Rates) -> PriceMills:
    """Returns the net limit of an ask in mills: never below the export tariff or the mandate's minimum."""
    return max(metered.ask_limit_mills or PriceMills(0), rates.export_tariff_mills, funds.min_price_mills)


def bid_limit(metered: MeteredEnergy, funds: ParticipantFunds, rates: Rates) -> PriceMills:
    """Returns the all-in limit of a bid in mills: never above the import tariff or the mandate's maximum."""
    default = PriceMills(rates.import_tariff_mills * DEFAULT_BID_PERCENT // 100)
    standing = default if metered.bid_limit_mills is None else metered.bid_limit_mills
    return min(standing, rates.import_tariff_mills, funds.max_price_mills)


def exposure_left(position: Position, funds: ParticipantFunds, unsettled: UnsettledDebits) -> Micros:
    """Returns how much more a participant may owe: the funds and the mandate's limits per interval and per day hold."""
    covered = min(funds.balance_micros, funds.reserve_micros) - unsettled.total_micros
    interval = funds.max_debit_micros - position.debit_micros
    day = funds.max_day_debit_micros - funds.day_debit_micros - unsettled.day_micros
    return Micros(max(0, min(covered, interval, day)))


def _residual_order(start_s: int, participant: UUID, side: Side, wh: int, limit_mills: PriceMills) -> Order | None:
    if wh < 1:
        return None
    order_id = residual_order_id(start_s, participant, side, wh, limit_mills)
    return Order(order_id, start_s, participant, side, RESIDUAL_SEQUENCE, Wh(wh), limit_mills)
