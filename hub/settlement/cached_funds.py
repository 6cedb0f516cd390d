"""Reads funds for the clearing, also while the chain does not answer: then from the accounts as they were last read.

What is cleared meanwhile settles when the chain is back. So that it still can, only the part of the last known funds is
used that the participant can not have withdrawn or spent.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any
from uuid import UUID

import structlog

from hub.chain.errors import ChainUnreachableError
from hub.clock import Clock
from hub.market.funds import ParticipantFunds
from hub.postgres.db import Pool
from hub.settlement import repository
from hub.settlement.funds import ChainFunds, funds_by_participant
from hub.settlement.onchain import OPEN_WINDOW_S
from hub.units import Micros

log = structlog.get_logger()

CLOCKS_DIFFER_MS = 60_000
"""The most that the clock of another copy of the worker may be behind when it closes an interval."""


@dataclass
class FundsCache:
    """By wallet (base58) the decoded account and when this process last read it, in ms; empty after a restart."""

    accounts: dict[str, tuple[Any, int]] = field(default_factory=dict)


@dataclass(frozen=True)
class CachedFunds:
    """Implements ``market.funds.Funds``."""

    chain_funds: ChainFunds
    funds_cache: FundsCache
    pool: Pool
    clock: Clock

    async def funds(self, wallets: Mapping[UUID, str], start_s: int, end_s: int) -> Mapping[UUID, ParticipantFunds]:
        """Returns funds by participant; while the chain does not answer, of accounts read in the last twelve hours.

        Raises:
            ChainUnreachableError: the chain does not answer, and no account was read lately.
        """
        now_ms = self.clock.now_ms()
        try:
            accounts = await self.chain_funds.accounts(wallets)
        except ChainUnreachableError:
            last_known = await self._last_known(wallets, start_s, end_s, now_ms)
            if not last_known:
                raise
            log.warning("cleared with funds as last known", start_s=start_s, participants=len(last_known))
            return last_known
        self.funds_cache.accounts |= {
            wallets[participant]: (account, now_ms) for participant, account in accounts.items()
        }
        return funds_by_participant(accounts, start_s, end_s)

    async def _last_known(
        self, wallets: Mapping[UUID, str], start_s: int, end_s: int, now_ms: int
    ) -> dict[UUID, ParticipantFunds]:
        oldest_ms = now_ms - OPEN_WINDOW_S * 1000
        cached = {
            participant: entry
            for participant, wallet in wallets.items()
            if (entry := self.funds_cache.accounts.get(wallet)) and entry[1] >= oldest_ms
        }
        if not cached:
            return {}
        since_ms = min(read_ms for _, read_ms in cached.values()) - CLOCKS_DIFFER_MS
        async with self.pool.acquire() as connection:
            debited = await repository.debited_since(connection, since_ms)
        accounts = {participant: account for participant, (account, _) in cached.items()}
        return {
            participant: certain_funds(funds, debited.get(wallets[participant], 0))
            for participant, funds in funds_by_participant(accounts, start_s, end_s).items()
        }


def certain_funds(funds: ParticipantFunds, debited_micros: int) -> ParticipantFunds:
    """Returns the part of funds that is certainly left: of the reserve, which can not be withdrawn, less the debits.

    ``debited_micros`` is what settlements have debited since the funds were read.
    """
    certain_micros = min(funds.balance_micros, funds.reserve_micros) - debited_micros
    return replace(
        funds,
        balance_micros=Micros(max(0, certain_micros)),
        day_debit_micros=Micros(funds.day_debit_micros + debited_micros),
    )
