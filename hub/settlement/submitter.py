"""Takes planned intervals one by one through their steps, and closes them when all of it is final.

``steps.carrier`` brings the steps onto the chain; what comes instead of a close (too late, aborted, refused) is decided
here.
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
from hub.settlement.fees import Fees
from hub.settlement.instructions import IntervalRows
from hub.settlement.keys import SettlementKeys
from hub.settlement.release import release_trades
from hub.settlement.steps.executor import StepExecutor, StepRefusedError

log = structlog.get_logger()


class UnreadableRowsError(PermanentError):
    """An interval's rows are not what they were written as; the others go on."""

    code = "rows_unreadable"


@dataclass(frozen=True)
class Submitter:
    """One leader's hands on the chain."""

    pool: Pool
    lease: Lease
    clock: Clock
    chain: ChainClient
    keys: SettlementKeys
    currency_mint: Pubkey
    deferred: DeferredIntervals = field(default_factory=DeferredIntervals)
    fees: Fees = field(default_factory=Fees)

    async def settle_due(self, *, limit: int = 20) -> list[int]:
        """Tries ``limit`` planned intervals one by one; returns the starts of those that were closed.

        One that can not be settled is deferred for a while, and the next comes.

        Raises:
            ChainUnreachableError: the chain is away; the next call goes on from the stored steps.
            LeaseLostError: another process leads.
        """
        closed = []
        for _ in range(limit):
            async with self.pool.acquire() as connection:
                start_s = await repository.next_unsettled(connection, self.deferred.waiting(self.clock))
            if start_s is None:
                break
            if await self._try(start_s):
                closed.append(start_s)
        return closed

    async def _try(self, start_s: int) -> bool:
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
        self.deferred.finished(start_s)
        return closed

    async def _settle_or_release(self, start_s: int) -> bool:
        """True when it is closed; False when its trades were released and it closes without lines next."""
        async with self.pool.acquire() as connection:
            facts = await repository.interval_facts(connection, start_s)
            lines = await repository.settlement_lines(connection, start_s)
        rows = IntervalRows(start_s, facts, lines)
        reason: HubError
        try:
            return await self._settle(rows)
        except onchain.TooLateError as error:
            reason = error
        except onchain.AbortedError as error:
            abort.alarm(error.found, rows, self.clock)
            reason = error
        except StepRefusedError as error:
            if not await abort.is_due(self.chain, rows, error.refusal, self.clock):
                raise
            log.warning("a settlement is aborted", start_at=rfc3339_s(start_s), reason=str(error))
            reason = error
        if not isinstance(reason, onchain.TooLateError):
            await self._give_back(rows)
        log.warning("an interval's trades are released", start_at=rfc3339_s(start_s), reason=str(reason))
        async with self.pool.acquire() as connection, connection.transaction():
            await guard(connection, self.lease)
            await release_trades(connection, start_s, self.clock.now_ms())
        return False

    async def _settle(self, rows: IntervalRows) -> bool:
        await (await self._carrier(rows)).carry()
        return await self._close(rows.start_s, rows)

    async def _give_back(self, rows: IntervalRows) -> None:
        """Leaves the settlement aborted, everything returned; what it takes to get there is read from the chain."""
        async with self.pool.acquire() as connection, connection.transaction():
            await guard(connection, self.lease)
        carrier = await self._carrier(rows)
        async with carrier.patience():
            await abort.give_all_back(self.chain, self.keys.fee_payer, rows, carrier.price_micro_lamports)
        await carrier.record_what_is_final()

    async def _carrier(self, rows: IntervalRows) -> StepExecutor:
        price = await self.fees.offer(self.chain)
        return StepExecutor(
            self.pool,
            self.lease,
            self.clock,
            self.chain,
            self.keys,
            self.currency_mint,
            rows,
            price_micro_lamports=price,
        )

    async def _close(self, start_s: int, rows: IntervalRows) -> bool:
        async with self.pool.acquire() as connection, connection.transaction():
            await guard(connection, self.lease)
            closed = await repository.record_closed(connection, start_s, self.clock.now_ms())
            if closed:
                payload = {
                    "start_at": rfc3339_s(start_s),
                    "end_at": rows.facts["end_at"].isoformat().replace("+00:00", "Z"),
                    "state": "closed",
                    "lines": rows.facts["line_count"],
                }
                await outbox.append(connection, "settlement", payload)
        return closed


async def read_currency_mint(chain: ChainClient) -> Pubkey:
    """The currency that the market settles in.

    Raises:
        RetryableError: the programs have not been set up on this chain.
    """
    market: Any = await chain.account("trading", "Market", pdas.market(), commitment=Finalized)
    if market is None:
        raise RetryableError(f"{chain.url} has no market yet: set the chain up first, see `peerwatt-hub doctor`")
    return Pubkey.from_bytes(bytes(market.currency_mint))
