"""The funds that limit what a participant may owe: balance, reserve and the mandate in force on the chain.

The market reads them through ``Funds``; ``settlement.funds`` implements it with decoded accounts.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol
from uuid import UUID

from hub.units import Micros, PriceMills, Wh


@dataclass(frozen=True, slots=True)
class ParticipantFunds:
    """A trading account and the mandate in force for one interval."""

    balance_micros: Micros
    reserve_micros: Micros
    max_price_mills: PriceMills
    """The highest price to buy at, charges included."""
    min_price_mills: PriceMills
    max_wh: Wh
    """The most that may be sold in an interval, and the most that may be bought."""
    max_debit_micros: Micros
    """The most that may be debited for an interval."""
    max_day_debit_micros: Micros
    day_debit_micros: Micros
    """Already debited on the chain for the interval's delivery day, the UTC day of its start."""


class Funds(Protocol):
    """Reads the funds of participants."""

    async def funds(self, wallets: Mapping[UUID, str], start_s: int, end_s: int) -> Mapping[UUID, ParticipantFunds]:
        """Returns by participant id the funds of these wallets (base58) for the interval [start_s, end_s).

        The result lacks participants without an account or without a mandate for the whole interval.

        Raises:
            RetryableError: the chain does not answer; clear the interval later.
        """
        ...
