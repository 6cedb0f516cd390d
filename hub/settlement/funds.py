"""Reads from the chain what participants may owe: implements ``market.funds.Funds`` with their trading accounts."""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from solders.pubkey import Pubkey

from hub.chain import pdas
from hub.chain.client import ChainClient
from hub.market.funds import ParticipantFunds
from hub.units import Micros, PriceMills, Wh

DAY_S = 86_400


class ChainFunds:
    """Reads all accounts at once, as they are at the commitment `confirmed`."""

    def __init__(self, chain: ChainClient) -> None:
        self._chain = chain

    async def accounts(self, wallets: Mapping[UUID, str]) -> dict[UUID, Any]:
        """Returns by participant the decoded accounts of these wallets (base58), where there are any.

        Raises:
            ChainUnreachableError: the chain does not answer.
        """
        addresses = [pdas.account(Pubkey.from_string(wallet)) for wallet in wallets.values()]
        accounts = await self._chain.accounts("trading", "Account", addresses)
        return {participant: account for participant, account in zip(wallets, accounts, strict=True) if account}

    async def funds(self, wallets: Mapping[UUID, str], start_s: int, end_s: int) -> Mapping[UUID, ParticipantFunds]:
        """Returns by participant the funds of these wallets, where there is an account and a mandate in force."""
        return funds_by_participant(await self.accounts(wallets), start_s, end_s)


def funds_by_participant(accounts: Mapping[UUID, Any], start_s: int, end_s: int) -> dict[UUID, ParticipantFunds]:
    """Returns the funds of the accounts that have a mandate for all of [start_s, end_s)."""
    funds = {participant: funds_of(account, start_s, end_s) for participant, account in accounts.items()}
    return {participant: known for participant, known in funds.items() if known is not None}


def funds_of(account: Any, start_s: int, end_s: int) -> ParticipantFunds | None:
    """Returns what a decoded trading account allows in [start_s, end_s); None without a mandate for all of it."""
    mandate = mandate_in_force(account.mandates, start_s)
    if mandate is None or end_s > mandate.expiry_s:
        return None
    today = start_s // DAY_S
    spent = next((day.debit_micros for day in account.day_debits if day.epoch_day == today), 0)
    return ParticipantFunds(
        balance_micros=Micros(account.balance_micros),
        reserve_micros=Micros(mandate.reserve_micros),
        max_price_mills=PriceMills(mandate.max_price_mills),
        min_price_mills=PriceMills(mandate.min_price_mills),
        max_wh=Wh(mandate.max_wh),
        max_debit_micros=Micros(mandate.max_debit_micros),
        max_day_debit_micros=Micros(mandate.max_day_debit_micros),
        day_debit_micros=Micros(spent),
    )


def mandate_in_force(mandates: Any, start_s: int) -> Any:
    """Returns the newest mandate that was valid at the interval's start, as the trading program does; or None."""
    valid = [mandate for mandate in mandates.ring[: mandates.count] if mandate.valid_from_s <= start_s]
    return valid[-1] if valid else None
