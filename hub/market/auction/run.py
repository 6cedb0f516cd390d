"""One interval's auction from metered energy to everything that is stored, pure: the market's rules in their order.

Residual orders, clearing, utility lines, then the invariants; the service reads the input and writes the outcome.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from uuid import UUID

from hub.market.auction import invariants
from hub.market.auction.clearing import clear
from hub.market.auction.invariants import Outcome
from hub.market.auction.residuals import Metered, Position, Unsettled, exposure_left, positions, residual_orders
from hub.market.funds import ParticipantFunds
from hub.market.orders import Order, Rates, Trade
from hub.market.published_journal import journal_hash
from hub.market.utility import utility_lines


@dataclass(frozen=True, slots=True)
class AuctionInput:
    """What an interval's auction starts from. ``forward_orders`` are the orders behind the forward trades."""

    start_s: int
    metered: Sequence[Metered]
    rates: Rates
    funds: Mapping[UUID, ParticipantFunds]
    forward: Sequence[Trade] = ()
    forward_orders: Sequence[Order] = ()
    unsettled: Mapping[UUID, Unsettled] = field(default_factory=dict)
    """Debits not yet on the chain, the interval's own forward purchases included."""


def run_auction(inputs: AuctionInput) -> Outcome:
    """Runs the auction and checks it.

    Raises:
        MarketHaltedError: the outcome breaks a rule of the market.
    """
    orders = residual_orders(
        inputs.start_s, inputs.metered, inputs.forward, inputs.funds, inputs.unsettled, inputs.rates
    )
    clearing = clear(inputs.start_s, orders)
    traded = positions((*inputs.forward, *clearing.trades), inputs.rates.charges_mills)
    utility = utility_lines(inputs.metered, traded, inputs.rates)
    outcome = Outcome(inputs.start_s, inputs.metered, orders, clearing, inputs.forward, utility, inputs.rates)
    invariants.check(outcome)
    invariants.exposure(outcome, _left(inputs))
    return outcome


def published_hash(inputs: AuctionInput, outcome: Outcome) -> bytes:
    """The hash of the interval's journal: forward orders and trades with the auction's."""
    orders = (*inputs.forward_orders, *outcome.orders)
    price, charges = outcome.clearing.price_mills, inputs.rates.charges_mills
    return journal_hash(inputs.start_s, orders, outcome.trades, price, charges)


def _left(inputs: AuctionInput) -> dict[UUID, int]:
    agreed = positions(inputs.forward, inputs.rates.charges_mills)
    return {
        p: exposure_left(agreed.get(p, Position()), funds, inputs.unsettled.get(p, Unsettled()))
        for p, funds in inputs.funds.items()
    }
