"""What participants may owe, from their trading accounts on the chain: the market's ``Funds``."""

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
    """Reads confirmed accounts, all in one go."""

    def __init__(self, chain: ChainClient) -> None:
        self._chain = chain

    async def accounts(self, wallets: Mapping[UUID, str]) -> dict[UUID, Any]:
        """The decoded accounts behind these wallets; who has none is left out."""
        addresses = [pdas.account(Pubkey.from_string(wallet)) for wallet in wallets.values()]
        found = await self._chain.accounts("trading", "Account", addresses)
        return {who: account for who, account in zip(wallets, found, strict=True) if account}

    async def funds(self, wallets: Mapping[UUID, str], start_s: int, end_s: int) -> Mapping[UUID, ParticipantFunds]:
        """The funds behind these wallets; who has no account or no mandate for the interval is left out."""
        return covered(await self.accounts(wallets), start_s, end_s)


def covered(accounts: Mapping[UUID, Any], start_s: int, end_s: int) -> dict[UUID, ParticipantFunds]:
    """The funds of these accounts; who has no mandate for [start_s, end_s) is left out."""
    known = {who: funds_of(account, start_s, end_s) for who, account in accounts.items()}
    return {who: funds for who, funds in known.items() if funds is not None}


def funds_of(account: Any, start_s: int, end_s: int) -> ParticipantFunds | None:
    """What one decoded account allows in [start_s, end_s); None without a mandate that covers it."""
    mandate = mandate_in_force(account.mandates, start_s)
    if mandate is None or end_s > mandate.expiry_s:
        return None
    day = start_s // DAY_S
    spent = next((one.debit_micros for one in account.day_debits if one.epoch_day == day), 0)
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
    """The last mandate that was valid at the interval's start, as the trading program chooses it; or None."""
    valid = [mandate for mandate in mandates.ring[: mandates.count] if mandate.valid_from_s <= start_s]
    return valid[-1] if valid else None
