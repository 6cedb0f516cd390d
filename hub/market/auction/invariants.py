"""Checks what must hold after every clearing, before the service stores it; a breach halts the market.

Every figure is computed again from the outcome.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from uuid import UUID

from hub.errors import PermanentError
from hub.market.auction.clearing import Clearing
from hub.market.auction.residuals import MeteredEnergy
from hub.market.orders import Order, Rates, Side, Trade, credit, debit
from hub.market.utility import UtilityLine


class MarketHaltedError(PermanentError):
    """A clearing broke a rule of the market: nothing of the interval was stored, and a person has to look."""

    code = "market_halted"


@dataclass(frozen=True, slots=True)
class Outcome:
    """Everything of a clearing that is to be stored."""

    start_s: int
    metered: Sequence[MeteredEnergy]
    orders: Sequence[Order]
    clearing: Clearing
    forward: Sequence[Trade]
    utility: Sequence[UtilityLine]
    rates: Rates

    @property
    def trades(self) -> tuple[Trade, ...]:
        """The forward trades and those of the auction."""
        return (*self.forward, *self.clearing.trades)


def check(outcome: Outcome) -> None:
    """Checks every invariant except the exposure.

    Raises:
        MarketHaltedError: one does not hold; the message names the rule, the interval and the figures.
    """
    _check_limits(outcome)
    _check_fills(outcome)
    _check_estimates(outcome)
    _check_trade_ids(outcome)
    _check_energy(outcome)
    _check_money(outcome)


def _require(holds: bool, outcome: Outcome, rule: str, figures: str) -> None:
    if not holds:
        raise MarketHaltedError(
            f"The clearing of interval {outcome.start_s} breaks '{rule}' ({figures}): nothing was stored; "
            "keep the database as it is and report this with the hub's version"
        )


def _check_limits(outcome: Outcome) -> None:
    orders = {o.order_id: o for o in outcome.orders}
    price = outcome.clearing.price_mills
    for t in outcome.clearing.trades:
        bid, ask = orders[t.bid_order_id], orders[t.ask_order_id]
        holds = bid.limit_mills >= t.price_mills >= ask.limit_mills and t.price_mills == price
        figures = f"bid {bid.limit_mills}, price {t.price_mills}, ask {ask.limit_mills} mills"
        _require(holds, outcome, "nobody trades beyond their limit", figures)
        _require(t.seller_id != t.buyer_id, outcome, "nobody meets themselves", f"participant {t.buyer_id}")
        sides = bid.side is Side.BID and ask.side is Side.ASK
        owners = (bid.participant_id, ask.participant_id) == (t.buyer_id, t.seller_id)
        _require(sides and owners, outcome, "a trade follows its orders", f"trade {t.trade_id.hex()}")


def _check_fills(outcome: Outcome) -> None:
    filled: Counter[bytes] = Counter()
    for t in outcome.clearing.trades:
        filled[t.bid_order_id] += t.wh
        filled[t.ask_order_id] += t.wh
    fills = {f.order.order_id: f.wh for f in outcome.clearing.fills}
    for order in outcome.orders:
        wh, recorded = filled[order.order_id], fills.get(order.order_id)
        figures = f"order {order.order_id.hex()}: {order.wh} Wh wanted, {wh} in trades, {recorded} recorded"
        _require(0 <= wh <= order.wh and wh == recorded, outcome, "filled + lapsed = original", figures)
    volume = sum(t.wh for t in outcome.clearing.trades)
    _require(volume == outcome.clearing.volume_wh, outcome, "volume = sum of trades", f"{volume} Wh")


def _check_estimates(outcome: Outcome) -> None:
    valid = {energy.participant_id for energy in outcome.metered if energy.valid}
    for order in outcome.orders:
        _require(order.participant_id in valid, outcome, "estimated energy never trades", f"{order.participant_id}")


def _check_trade_ids(outcome: Outcome) -> None:
    counts = Counter(t.trade_id for t in outcome.trades)
    repeated = [trade_id.hex() for trade_id, count in counts.items() if count > 1]
    _require(not repeated, outcome, "every trade has a name of its own", ", ".join(repeated))


def _check_energy(outcome: Outcome) -> None:
    net: dict[UUID, int] = Counter()
    for energy in outcome.metered:
        net[energy.participant_id] += energy.export_wh - energy.import_wh
    for t in outcome.trades:
        net[t.seller_id] -= t.wh
        net[t.buyer_id] += t.wh
    for line in outcome.utility:
        net[line.participant_id] -= line.utility_wh
    for participant, off_wh in net.items():
        rule = "export - import = sold - bought + utility"
        _require(off_wh == 0, outcome, rule, f"participant {participant} is off by {off_wh} Wh")


def _check_money(outcome: Outcome) -> None:
    rates = outcome.rates
    credited = sum(credit(t) for t in outcome.trades)
    debited = sum(debit(t, rates.charges_mills) for t in outcome.trades)
    charges_mills = (rates.wheeling_mills, rates.platform_mills, rates.loss_mills)
    charges = sum(t.wh * charge_mills for t in outcome.trades for charge_mills in charges_mills)
    figures = f"{debited} debited, {credited} credited, {charges} charged, in micros"
    _require(debited == credited + charges, outcome, "debits = credits + charges", figures)


def check_exposure(outcome: Outcome, left_micros: Mapping[UUID, int]) -> None:
    """Checks that no participant owes more for the auction's trades than ``left_micros`` gives for them.

    Raises:
        MarketHaltedError: a participant does.
    """
    owed: dict[UUID, int] = Counter()
    for t in outcome.clearing.trades:
        owed[t.buyer_id] += debit(t, outcome.rates.charges_mills)
    for participant, micros in owed.items():
        figures = f"participant {participant} owes {micros} of {left_micros.get(participant, 0)} micros"
        _require(micros <= left_micros.get(participant, 0), outcome, "exposure stays within the mandate", figures)
