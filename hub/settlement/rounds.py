"""The worker's rounds of market, settlement and reconcile; they stand here because each of them uses the chain."""

import asyncio
import secrets
from dataclasses import dataclass, field

import structlog

from hub.chain.client import ChainClient
from hub.clock import Clock
from hub.market.auction.invariants import MarketHaltedError
from hub.market.auction.service import clear_attested
from hub.market.corrections import write_utility_lines
from hub.metering.corrections.service import QUIET_MS, correct_next, mark_late
from hub.metering.rounds import site_of
from hub.postgres.db import Pool
from hub.postgres.lease import Lease
from hub.postgres.rounds import INTERVALS_A_ROUND
from hub.settings import Settings
from hub.settlement import repository
from hub.settlement.cached_funds import CachedFunds, FundsCache
from hub.settlement.deferred import DeferredIntervals
from hub.settlement.fees import PriorityFees
from hub.settlement.funds import ChainFunds
from hub.settlement.keys import SettlementKeys
from hub.settlement.planner import plan_cleared
from hub.settlement.preflight import Preflight, check_funds
from hub.settlement.rates import RatesCopier
from hub.settlement.reconcile import reconcile_due
from hub.settlement.revisions import RevisionSender
from hub.settlement.steps.repository import steps as steps_of
from hub.settlement.submitter import Submitter, read_currency_mint

log = structlog.get_logger()


@dataclass(frozen=True)
class CorrectionRound:
    """Corrects attested intervals whose readings came late, with the money that follows."""

    settings: Settings
    pool: Pool
    clock: Clock
    quiet_ms: int = QUIET_MS
    name: str = "corrections"

    async def run(self, lease: Lease) -> bool:
        """Looks for what came late and corrects one interval; returns True when it was one.

        Raises:
            LeaseLostError: another copy leads.
            ConfigError: no rates are stored for an interval.
        """
        await mark_late(self.pool, lease, self.clock)
        corrected = await correct_next(
            self.pool, lease, self.clock, self.settings.poll_period_s, site_of(self.settings), write_utility_lines,
            secrets.token_bytes, quiet_ms=self.quiet_ms,
        )  # fmt: skip
        if corrected is not None and corrected.meters:
            log.info(
                "corrected",
                start_s=corrected.start_s,
                revision=corrected.revision,
                meters=corrected.meters[:10],
                changed=len(corrected.meters),
            )
        return corrected is not None


@dataclass(frozen=True)
class MarketRound:
    """Clears attested intervals and plans how they settle."""

    pool: Pool
    clock: Clock
    chain: ChainClient
    rates: RatesCopier = field(default_factory=RatesCopier)
    preflight: Preflight = field(default_factory=Preflight)
    funds_cache: FundsCache = field(default_factory=FundsCache)
    halted: asyncio.Event = field(default_factory=asyncio.Event)
    """Set when a clearing broke a rule: nothing is cleared until a person has looked and restarted the worker."""
    deferred: DeferredIntervals = field(default_factory=DeferredIntervals)
    name: str = "market"

    async def run(self, lease: Lease) -> bool:
        """Clears, then plans; returns True when there is more to do at once.

        It plans even when clearing fails, because a cleared interval must be opened on the chain in time.

        Raises:
            LeaseLostError: another copy leads.
            OtherChainError: a node serves another chain; nothing is cleared until a person has looked.
            RatesContradictError: database and chain hold different rates; nothing is cleared until a person has looked.
            ChainUnreachableError: the chain does not answer, and no funds were read lately.
        """
        try:
            more_to_clear = await self._clear(lease)
        finally:
            more_to_plan = await self._plan(lease)
        return more_to_clear or more_to_plan

    async def _clear(self, lease: Lease) -> bool:
        if self.halted.is_set():
            return False
        await self.preflight.check_before_reading(self.pool, self.chain)
        await self.rates.copy_if_due(self.pool, lease, self.clock, self.chain)
        funds = CachedFunds(ChainFunds(self.chain), self.funds_cache, self.pool, self.clock)
        try:
            cleared = await clear_attested(self.pool, lease, self.clock, funds, limit=INTERVALS_A_ROUND)
        except MarketHaltedError:
            # the market has logged and stored the halt
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
        await self.deferred.store(self.pool, lease, "planning")
        return len(planned) == INTERVALS_A_ROUND


@dataclass(frozen=True)
class SettlementRound:
    """Settles planned intervals on the chain, one after the other, then attests corrections there."""

    settings: Settings
    pool: Pool
    clock: Clock
    chain: ChainClient
    preflight: Preflight = field(default_factory=Preflight)
    deferred: DeferredIntervals = field(default_factory=DeferredIntervals)
    name: str = "settlement"

    async def run(self, lease: Lease) -> bool:
        """Settles planned intervals; always returns False: an interval that was not closed waits for its next try.

        Raises:
            LeaseLostError: another copy leads.
            HubError: a check before sending failed (see ``Preflight``, ``check_funds``, ``SettlementKeys.load``);
                nothing was sent, and the message says what to do.
            ChainUnreachableError: the chain does not answer.
        """
        settings = self.settings
        keys = SettlementKeys.load(settings.keys_dir, demo=settings.demo)
        accounts = await self.preflight.check_before_sending(self.pool, self.clock, self.chain, keys)
        mint = await read_currency_mint(self.chain)
        fees = PriorityFees(settings.priority_fee_micro_lamports, settings.priority_fee_cap_micro_lamports)
        async with self.pool.acquire() as connection:
            start_s = await repository.next_unsettled(connection, self.deferred.not_due(self.clock))
            steps = [] if start_s is None else await steps_of(connection, start_s)
        await check_funds(self.chain, keys, steps, accounts, fees.cap)
        submitter = Submitter(self.pool, lease, self.clock, self.chain, keys, mint, self.deferred, fees)
        for start_s in await submitter.settle_due():
            log.info("closed", start_s=start_s)
        await self.deferred.store(self.pool, lease, "settlement")
        revisions = RevisionSender(self.pool, lease, self.clock, self.chain, keys, fees)
        for start_s, revision in await revisions.send_due():
            log.info("revision attested", start_s=start_s, revision=revision)
        return False


@dataclass(frozen=True)
class ReconcileRound:
    """Compares closed intervals with the chain, also while other intervals can not be settled."""

    pool: Pool
    clock: Clock
    chain: ChainClient
    preflight: Preflight = field(default_factory=Preflight)
    deferred: DeferredIntervals = field(default_factory=DeferredIntervals)
    name: str = "reconcile"

    async def run(self, lease: Lease) -> bool:
        """Reconciles at most ``INTERVALS_A_ROUND`` intervals; returns True when it was that many.

        Raises:
            LeaseLostError: another copy leads.
            OtherChainError: a node serves another chain.
            ChainUnreachableError: the chain does not answer.
        """
        await self.preflight.check_before_reading(self.pool, self.chain)
        reconciled = await reconcile_due(
            self.pool, lease, self.clock, self.chain, deferred=self.deferred, limit=INTERVALS_A_ROUND
        )
        for start_s in reconciled:
            log.info("reconciled", start_s=start_s)
        await self.deferred.store(self.pool, lease, "reconcile")
        return len(reconciled) == INTERVALS_A_ROUND
