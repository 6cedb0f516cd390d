"""Settles planned intervals one by one, and closes each when all of its steps are final.

``steps.executor`` carries out the steps. An interval that can not close (too late, aborted, or refused for good) is
released here instead.
"""

from dataclasses import dataclass, field
from typing import Any

import structlog
from solana.rpc.commitment import Finalized
from solders.pubkey import Pubkey

from hub.chain import pdas
from hub.chain.client import ChainClient
from hub.chain.errors import ChainUnreachableError
from hub.clock import Clock, rfc3339_s
from hub.errors import HubError, PermanentError, RetryableError
from hub.live import outbox
from hub.postgres.db import Pool
from hub.postgres.lease import Lease, LeaseLostError, guard
from hub.settlement import abort, onchain, repository
from hub.settlement.deferred import DeferredIntervals
from hub.settlement.fees import PriorityFees
from hub.settlement.keys import SettlementKeys
from hub.settlement.release import release_trades
from hub.settlement.repository import IntervalRows
from hub.settlement.steps.executor import StepExecutor, StepRefusedError

log = structlog.get_logger()


class UnreadableRowsError(PermanentError):
    """The stored rows of an interval can not be read; other intervals go on."""

    code = "rows_unreadable"


@dataclass(frozen=True)
class Submitter:
    """Settles planned intervals under one leader's lease, with its keys."""

    pool: Pool
    lease: Lease
    clock: Clock
    chain: ChainClient
    keys: SettlementKeys
    currency_mint: Pubkey
    deferred: DeferredIntervals = field(default_factory=DeferredIntervals)
    fees: PriorityFees = field(default_factory=PriorityFees)

    async def settle_due(self, *, limit: int = 20) -> list[int]:
        """Tries at most ``limit`` planned intervals one by one; returns the starts of those that were closed.

        An interval that can not be settled is deferred, and the next one is tried.

        Raises:
            ChainUnreachableError: the chain does not answer; the next call goes on from the stored steps.
            LeaseLostError: another process leads.
        """
        closed = []
        for _ in range(limit):
            async with self.pool.acquire() as connection:
                start_s = await repository.next_unsettled(connection, self.deferred.not_due(self.clock))
            if start_s is None:
                break
            if await self._settle_or_defer(start_s):
                closed.append(start_s)
        return closed

    async def _settle_or_defer(self, start_s: int) -> bool:
        try:
            closed = await self._settle_or_release(start_s)
        except (ChainUnreachableError, LeaseLostError):
            raise
        except HubError as error:
            self.deferred.defer(start_s, error, self.clock)
            return False
        except (ValueError, LookupError) as error:
            self.deferred.defer(start_s, UnreadableRowsError(f"Its rows can not be read: {error}"), self.clock)
            return False
        self.deferred.finish(start_s)
        return closed

    async def _settle_or_release(self, start_s: int) -> bool:
        """Returns True when the interval is closed; False when its trades were released, to be closed next."""
        async with self.pool.acquire() as connection:
            rows = await repository.interval_rows(connection, start_s)
        reason: HubError
        try:
            return await self._settle(rows)
        except onchain.TooLateError as error:
            reason = error
        except onchain.AbortedError as error:
            abort.alarm_if_by_settler(error.settlement, rows, self.clock)
            reason = error
        except StepRefusedError as error:
            if not await abort.is_due(self.chain, rows, error.refusal, self.clock):
                raise
            log.warning("a settlement is aborted", start_at=rfc3339_s(start_s), reason=str(error))
            reason = error
        if not isinstance(reason, onchain.TooLateError):
            await self._abort_and_return(rows)
        log.warning("an interval's trades are released", start_at=rfc3339_s(start_s), reason=str(reason))
        async with self.pool.acquire() as connection, connection.transaction():
            await guard(connection, self.lease)
            await release_trades(connection, start_s, self.clock.now_ms())
        return False

    async def _settle(self, rows: IntervalRows) -> bool:
        await (await self._executor(rows)).run()
        return await self._close(rows.start_s, rows)

    async def _abort_and_return(self, rows: IntervalRows) -> None:
        async with self.pool.acquire() as connection, connection.transaction():
            await guard(connection, self.lease)
        executor = await self._executor(rows)
        async with executor.time_limit():
            await abort.abort_and_return(self.chain, self.keys.fee_payer, rows, executor.price_micro_lamports)
        await executor.record_final_transactions()

    async def _executor(self, rows: IntervalRows) -> StepExecutor:
        price_micro_lamports = await self.fees.offer(self.chain)
        return StepExecutor(
            self.pool,
            self.lease,
            self.clock,
            self.chain,
            self.keys,
            self.currency_mint,
            rows,
            price_micro_lamports=price_micro_lamports,
        )

    async def _close(self, start_s: int, rows: IntervalRows) -> bool:
        async with self.pool.acquire() as connection, connection.transaction():
            await guard(connection, self.lease)
            closed = await repository.record_closed(connection, start_s, self.clock.now_ms())
            if closed:
                payload = {
                    "start_at": rfc3339_s(start_s),
                    "end_at": rows.interval["end_at"].isoformat().replace("+00:00", "Z"),
                    "state": "closed",
                    "lines": rows.interval["line_count"],
                }
                await outbox.append(connection, "settlement", payload)
        return closed


async def read_currency_mint(chain: ChainClient) -> Pubkey:
    """Returns the mint of the currency that the market settles in.

    Raises:
        RetryableError: the programs have not been set up on this chain.
        ChainUnreachableError: the chain does not answer.
    """
    market: Any = await chain.account("trading", "Market", pdas.market(), commitment=Finalized)
    if market is None:
        raise RetryableError(f"{chain.url} has no market yet: set the chain up first, see `peerwatt-hub doctor`")
    return Pubkey.from_bytes(bytes(market.currency_mint))
