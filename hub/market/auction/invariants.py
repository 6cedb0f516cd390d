"""What must hold after every clearing, computed again from the outcome; a breach halts the market, nothing is stored.

Source: market rules, "What must always hold". Takes what the service is about to store, returns nothing or raises.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from uuid import UUID

from hub.errors import PermanentError
from hub.market.auction.clearing import Clearing
from hub.market.auction.residuals import Metered
from hub.market.orders import Order, Rates, Side, Trade, credit, debit
from hub.market.utility import UtilityLine


class MarketHaltedError(PermanentError):
    """The market broke one of its own rules: nothing of the interval was stored, and a person has to look."""

    code = "market_halted"


@dataclass(frozen=True, slots=True)
class Outcome:
    """Everything a clearing is about to store."""

    start_s: int
    metered: Sequence[Metered]
    orders: Sequence[Order]
    clearing: Clearing
    forward: Sequence[Trade]
    utility: Sequence[UtilityLine]
    rates: Rates

    @property
    def trades(self) -> tuple[Trade, ...]:
        return (*self.forward, *self.clearing.trades)


def check(outcome: Outcome) -> None:
    """Checks all of them.

    Raises:
        MarketHaltedError: naming the rule, the interval and the figures.
    """
    _rational(outcome)
    _nothing_overfilled(outcome)
    _estimates_stay_out(outcome)
    _named_once(outcome)
    _energy(outcome)
    _money(outcome)


def _require(holds: bool, outcome: Outcome, rule: str, figures: str) -> None:
    if not holds:
        raise MarketHaltedError(
            f"The clearing of interval {outcome.start_s} breaks '{rule}' ({figures}): nothing was stored; "
            "keep the database as it is and report this with the hub's version"
        )


def _rational(outcome: Outcome) -> None:
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


def _nothing_overfilled(outcome: Outcome) -> None:
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


def _estimates_stay_out(outcome: Outcome) -> None:
    valid = {m.participant_id for m in outcome.metered if m.valid}
    for order in outcome.orders:
        _require(order.participant_id in valid, outcome, "estimated energy never trades", f"{order.participant_id}")


def _named_once(outcome: Outcome) -> None:
    twice = [name.hex() for name, n in Counter(t.trade_id for t in outcome.trades).items() if n > 1]
    _require(not twice, outcome, "every trade has a name of its own", ", ".join(twice))


def _energy(outcome: Outcome) -> None:
    net: dict[UUID, int] = Counter()
    for m in outcome.metered:
        net[m.participant_id] += m.export_wh - m.import_wh
    for t in outcome.trades:
        net[t.seller_id] -= t.wh
        net[t.buyer_id] += t.wh
    for line in outcome.utility:
        net[line.participant_id] -= line.utility_wh
    for participant, rest in net.items():
        rule = "export - import = sold - bought + utility"
        _require(rest == 0, outcome, rule, f"participant {participant} is off by {rest} Wh")
    metered = sum(m.export_wh - m.import_wh for m in outcome.metered)
    utility = sum(line.utility_wh for line in outcome.utility)
    _require(metered == utility, outcome, "peers' trades cancel out", f"{metered} Wh metered, {utility} Wh utility")


def _money(outcome: Outcome) -> None:
    rates = outcome.rates
    credited = sum(credit(t) for t in outcome.trades)
    debited = sum(debit(t, rates.charges_mills) for t in outcome.trades)
    charges = sum(
        t.wh * each for t in outcome.trades for each in (rates.wheeling_mills, rates.platform_mills, rates.loss_mills)
    )
    figures = f"{debited} debited, {credited} credited, {charges} charged, in micros"
    _require(debited == credited + charges, outcome, "debits = credits + charges", figures)


def exposure(outcome: Outcome, left: Mapping[UUID, int]) -> None:
    """Nobody came to owe more in the auction than ``left`` micros.

    Raises:
        MarketHaltedError: somebody did.
    """
    owed: dict[UUID, int] = Counter()
    for t in outcome.clearing.trades:
        owed[t.buyer_id] += debit(t, outcome.rates.charges_mills)
    for participant, micros in owed.items():
        figures = f"participant {participant} owes {micros} of {left.get(participant, 0)} micros"
        _require(micros <= left.get(participant, 0), outcome, "exposure stays within the mandate", figures)
