"""The worker's rounds from clearing to reconciliation: each knows the chain, so that none of them lives below here."""

import asyncio
from dataclasses import dataclass, field

import structlog

from hub.chain.client import ChainClient
from hub.clock import Clock
from hub.market.auction.invariants import MarketHaltedError
from hub.market.auction.service import clear_attested
from hub.postgres.db import Pool
from hub.postgres.lease import Lease
from hub.postgres.rounds import INTERVALS_A_ROUND
from hub.settings import Settings
from hub.settlement import repository
from hub.settlement.cached_funds import CachedFunds, FundsCache
from hub.settlement.deferred import DeferredIntervals
from hub.settlement.fees import Fees
from hub.settlement.funds import ChainFunds
from hub.settlement.keys import SettlementKeys
from hub.settlement.planner import plan_cleared
from hub.settlement.preflight import Preflight, check_funds
from hub.settlement.rates import GovernedRates
from hub.settlement.reconcile import reconcile_due
from hub.settlement.steps.repository import steps as steps_of
from hub.settlement.submitter import Submitter, read_currency_mint

log = structlog.get_logger()


@dataclass(frozen=True)
class MarketRound:
    """Clears attested intervals and plans how they settle."""

    pool: Pool
    clock: Clock
    chain: ChainClient
    rates: GovernedRates = field(default_factory=GovernedRates)
    preflight: Preflight = field(default_factory=Preflight)
    funds_cache: FundsCache = field(default_factory=FundsCache)
    halted: asyncio.Event = field(default_factory=asyncio.Event)
    """Set when the market broke a rule of its own: nothing is cleared until a person has looked and restarted us."""
    deferred: DeferredIntervals = field(default_factory=DeferredIntervals)
    name: str = "market"

    async def run(self, lease: Lease) -> bool:
        """Clears, then plans. What was cleared is planned even when clearing fails: it must open on the chain in time.

        Raises:
            LeaseLostError: another copy leads.
            OtherChainError, RatesContradictError: nothing is cleared until a person has looked.
            ChainUnreachableError: the chain is away, and nobody's funds were seen lately.
        """
        try:
            more_to_clear = await self._clear(lease)
        finally:
            more_to_plan = await self._plan(lease)
        return more_to_clear or more_to_plan

    async def _clear(self, lease: Lease) -> bool:
        if self.halted.is_set():
            return False
        await self.preflight.refuse_other_chain(self.pool, self.chain)
        await self.rates.follow(self.pool, lease, self.clock, self.chain)
        funds = CachedFunds(ChainFunds(self.chain), self.funds_cache, self.pool, self.clock)
        try:
            cleared = await clear_attested(self.pool, lease, self.clock, funds, limit=INTERVALS_A_ROUND)
        except MarketHaltedError:
            # logged and stored by the market itself
            self.halted.set()
            return False
        for interval in cleared:
            log.info(
                "cleared", start_s=interval.start_s, price_mills=interval.price_mills, volume_wh=interval.volume_wh
            )
        return len(cleared) == INTERVALS_A_ROUND

    async def _plan(self, lease: Lease) -> bool:
        planned = await plan_cleared(self.pool, lease, self.clock, deferred=self.deferred, limit=INTERVALS_A_ROUND)
        for interval in planned:
            log.info("planned", start_s=interval.start_s, lines=interval.lines, batches=interval.batches)
        await self.deferred.write_down(self.pool, lease, "planning")
        return len(planned) == INTERVALS_A_ROUND


@dataclass(frozen=True)
class SettlementRound:
    """Brings planned intervals onto the chain, one after the other."""

    settings: Settings
    pool: Pool
    clock: Clock
    chain: ChainClient
    preflight: Preflight = field(default_factory=Preflight)
    deferred: DeferredIntervals = field(default_factory=DeferredIntervals)
    name: str = "settlement"

    async def run(self, lease: Lease) -> bool:
        """Settles what is due; always False, since what was not closed now waits for its next try.

        Raises:
            LeaseLostError: another copy leads.
            OtherChainError, ProgramsDifferError, WrongKeyError, ClockBehindError, FeePayerEmptyError, KeyFileError:
                nothing was sent; the message says what to do.
            ChainUnreachableError: the chain is away.
        """
        settings = self.settings
        keys = SettlementKeys.load(settings.keys_dir, demo=settings.demo)
        accounts = await self.preflight.ready_to_send(self.pool, self.clock, self.chain, keys)
        mint = await read_currency_mint(self.chain)
        fees = Fees(settings.priority_fee_micro_lamports, settings.priority_fee_cap_micro_lamports)
        async with self.pool.acquire() as connection:
            start_s = await repository.next_unsettled(connection, self.deferred.waiting(self.clock))
            steps = [] if start_s is None else await steps_of(connection, start_s)
        await check_funds(self.chain, keys, steps, accounts, fees.cap)
        submitter = Submitter(self.pool, lease, self.clock, self.chain, keys, mint, self.deferred, fees)
        for start_s in await submitter.settle_due():
            log.info("closed", start_s=start_s)
        await self.deferred.write_down(self.pool, lease, "settlement")
        return False


@dataclass(frozen=True)
class ReconcileRound:
    """Compares closed intervals with the chain; what waits to be settled does not hold it up."""

    pool: Pool
    clock: Clock
    chain: ChainClient
    preflight: Preflight = field(default_factory=Preflight)
    deferred: DeferredIntervals = field(default_factory=DeferredIntervals)
    name: str = "reconcile"

    async def run(self, lease: Lease) -> bool:
        """Reconciles at most ``INTERVALS_A_ROUND`` intervals; True when it was that many.

        Raises:
            LeaseLostError: another copy leads.
            OtherChainError: the node serves another chain.
            ChainUnreachableError: the chain is away.
        """
        await self.preflight.refuse_other_chain(self.pool, self.chain)
        reconciled = await reconcile_due(
            self.pool, lease, self.clock, self.chain, deferred=self.deferred, limit=INTERVALS_A_ROUND
        )
        for start_s in reconciled:
            log.info("reconciled", start_s=start_s)
        await self.deferred.write_down(self.pool, lease, "reconcile")
        return len(reconciled) == INTERVALS_A_ROUND
