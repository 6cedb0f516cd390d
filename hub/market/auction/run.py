"""Runs one interval's auction, pure: residual orders, clearing, utility lines, then the invariants.

The service reads the input and stores the outcome.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from uuid import UUID

from hub.market.auction import invariants
from hub.market.auction.clearing import clear
from hub.market.auction.invariants import Outcome
from hub.market.auction.residuals import (
    MeteredEnergy,
    Position,
    UnsettledDebits,
    exposure_left,
    positions,
    residual_orders,
)
from hub.market.funds import ParticipantFunds
from hub.market.orders import Order, Rates, Trade
from hub.market.published_journal import journal_hash
from hub.market.utility import utility_lines


@dataclass(frozen=True, slots=True)
class AuctionInput:
    """The input of an interval's auction. ``forward_orders`` are the orders of the forward trades."""

    start_s: int
    metered: Sequence[MeteredEnergy]
    rates: Rates
    funds: Mapping[UUID, ParticipantFunds]
    forward: Sequence[Trade] = ()
    forward_orders: Sequence[Order] = ()
    unsettled: Mapping[UUID, UnsettledDebits] = field(default_factory=dict)
    """By participant the debits that are not on the chain yet, the interval's own forward purchases included."""


def run_auction(inputs: AuctionInput) -> Outcome:
    """Runs the auction and checks its outcome.

    Raises:
        MarketHaltedError: the outcome breaks a rule of the market.
        DuplicateOrderError: a participant is in ``metered`` twice.
    """
    orders = residual_orders(
        inputs.start_s, inputs.metered, inputs.forward, inputs.funds, inputs.unsettled, inputs.rates
    )
    clearing = clear(inputs.start_s, orders)
    traded = positions((*inputs.forward, *clearing.trades), inputs.rates.charges_mills)
    utility = utility_lines(inputs.metered, traded, inputs.rates)
    outcome = Outcome(inputs.start_s, inputs.metered, orders, clearing, inputs.forward, utility, inputs.rates)
    invariants.check(outcome)
    invariants.check_exposure(outcome, _exposures_left(inputs))
    return outcome


def outcome_journal_hash(inputs: AuctionInput, outcome: Outcome) -> bytes:
    """Returns the hash, 32 bytes, of the interval's journal: forward orders and trades, and the auction's."""
    orders = (*inputs.forward_orders, *outcome.orders)
    price, charges = outcome.clearing.price_mills, inputs.rates.charges_mills
    return journal_hash(inputs.start_s, orders, outcome.trades, price, charges)


def _exposures_left(inputs: AuctionInput) -> dict[UUID, int]:
    forward = positions(inputs.forward, inputs.rates.charges_mills)
    return {
        p: exposure_left(forward.get(p, Position()), funds, inputs.unsettled.get(p, UnsettledDebits()))
        for p, funds in inputs.funds.items()
    }
