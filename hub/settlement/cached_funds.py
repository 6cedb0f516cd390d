"""Funds for the clearing that do not end with an outage: the chain's word, or less than it said last while it is away.

What is cleared meanwhile settles when the chain is back; that it still can is why less is taken for granted.
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
from hub.settlement.funds import ChainFunds, covered
from hub.settlement.onchain import OPEN_WINDOW_S
from hub.units import Micros

log = structlog.get_logger()

CLOCKS_DIFFER_MS = 60_000
"""Another copy of the worker may have closed an interval by a clock that is so much behind."""


@dataclass
class FundsCache:
    """Accounts as the chain last told them to this process, by wallet, each with the time; a restart forgets them."""

    accounts: dict[str, tuple[Any, int]] = field(default_factory=dict)


@dataclass(frozen=True)
class CachedFunds:
    """The market's ``Funds``."""

    chain_funds: ChainFunds
    funds_cache: FundsCache
    pool: Pool
    clock: Clock

    async def funds(self, wallets: Mapping[UUID, str], start_s: int, end_s: int) -> Mapping[UUID, ParticipantFunds]:
        """As the market asks; while the chain is away, of those whose accounts were seen in the last twelve hours.

        Raises:
            ChainUnreachableError: the chain is away, and nothing was seen.
        """
        now_ms = self.clock.now_ms()
        try:
            accounts = await self.chain_funds.accounts(wallets)
        except ChainUnreachableError:
            known = await self._as_last_known(wallets, start_s, end_s, now_ms)
            if not known:
                raise
            log.warning("cleared with funds as last known", start_s=start_s, participants=len(known))
            return known
        self.funds_cache.accounts |= {wallets[who]: (account, now_ms) for who, account in accounts.items()}
        return covered(accounts, start_s, end_s)

    async def _as_last_known(
        self, wallets: Mapping[UUID, str], start_s: int, end_s: int, now_ms: int
    ) -> dict[UUID, ParticipantFunds]:
        oldest_ms = now_ms - OPEN_WINDOW_S * 1000
        seen = {
            who: found
            for who, wallet in wallets.items()
            if (found := self.funds_cache.accounts.get(wallet)) and found[1] >= oldest_ms
        }
        if not seen:
            return {}
        since_ms = min(read_ms for _, read_ms in seen.values()) - CLOCKS_DIFFER_MS
        async with self.pool.acquire() as connection:
            debited = await repository.debited_since(connection, since_ms)
        known = covered({who: account for who, (account, _) in seen.items()}, start_s, end_s)
        return {who: at_least(funds, debited.get(wallets[who], 0)) for who, funds in known.items()}


def at_least(funds: ParticipantFunds, debited_micros: int) -> ParticipantFunds:
    """What is left of funds for sure: the reserve alone can not be withdrawn, and what was settled since is gone."""
    sure = min(funds.balance_micros, funds.reserve_micros) - debited_micros
    return replace(
        funds,
        balance_micros=Micros(max(0, sure)),
        day_debit_micros=Micros(funds.day_debit_micros + debited_micros),
    )
