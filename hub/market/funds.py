"""What a participant may owe: balance, reserve and the mandate in force, as the chain holds them.

The market asks through ``Funds``; the settlement side answers from decoded accounts.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol
from uuid import UUID

from hub.units import Micros, PriceMills, Wh


@dataclass(frozen=True, slots=True)
class ParticipantFunds:
    """A trading account with the mandate in force for one interval (chain.md, "Money")."""

    balance_micros: Micros
    reserve_micros: Micros
    max_price_mills: PriceMills
    """All-in."""
    min_price_mills: PriceMills
    max_wh: Wh
    """Sold or bought per interval, each."""
    max_debit_micros: Micros
    """Per interval."""
    max_day_debit_micros: Micros
    day_debit_micros: Micros
    """Already debited on the chain for the interval's delivery day (UTC day of its start)."""


class Funds(Protocol):
    """Where the market asks what participants may owe."""

    async def funds(self, wallets: Mapping[UUID, str], start_s: int, end_s: int) -> Mapping[UUID, ParticipantFunds]:
        """The funds behind these wallets (base58) for the interval [start_s, end_s).

        A participant without account, or without a mandate that covers the whole interval, is left out.

        Raises:
            RetryableError: the chain does not answer; the interval is cleared on a later try.
        """
        ...
