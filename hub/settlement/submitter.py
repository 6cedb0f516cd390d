"""Carries planned intervals onto the chain, step by step: sign, store, send, wait until final, close.

A step is planned -> submitted -> confirmed -> finalized, or back to planned when its blockhash expired. Everything
stands in the database before it is sent, so that a process which dies is followed by one that asks the chain first.
"""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from typing import Any

import structlog
from solana.rpc.commitment import Finalized
from solders.pubkey import Pubkey
from solders.signature import Signature

from hub.chain import pdas
from hub.chain.client import ChainClient, Status
from hub.chain.errors import (
    AlreadyProcessedError,
    BlockhashExpiredError,
    ChainUnreachableError,
    NotYetFinalError,
    ProgramError,
    TransactionFailedError,
)
from hub.clock import Clock, rfc3339_s
from hub.db import Pool
from hub.errors import HubError, PermanentError, RetryableError
from hub.lease import Lease, LeaseLostError, guard
from hub.live import journal
from hub.settlement import abort, onchain, repository
from hub.settlement.aside import Aside
from hub.settlement.instructions import IntervalRows, instruction_of
from hub.settlement.keys import SettlementKeys
from hub.settlement.release import release_trades
from hub.settlement.steps import repository as steps_of
from hub.settlement.steps.repository import StepRow

log = structlog.get_logger()

POLL_S = 0.05
PATIENCE_S = 20.0


class StepRefusedError(RetryableError):
    """A program refused a step, and the chain does not hold it either; tried again with a pause."""

    code = "step_refused"

    def __init__(self, message: str, refusal: str) -> None:
        super().__init__(message)
        self.refusal = refusal
        """The program's name for it."""


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
    aside: Aside = field(default_factory=Aside)
    priority_fee_micro_lamports: int = 0

    async def settle_due(self, *, limit: int = 20) -> list[int]:
        """Tries ``limit`` planned intervals one by one; returns the starts of those that were closed.

        One that can not be settled is set aside for a while, and the next comes.

        Raises:
            ChainUnreachableError: the chain is away; the next call goes on from the stored steps.
            LeaseLostError: another process leads.
        """
        closed = []
        for _ in range(limit):
            async with self.pool.acquire() as connection:
                start_s = await repository.next_unsettled(connection, self.aside.waiting(self.clock))
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
            self.aside.put(start_s, error, self.clock)
            return False
        except (ValueError, LookupError) as error:
            self.aside.put(start_s, UnreadableRowsError(f"Its rows can not be read: {error}"), self.clock)
            return False
        self.aside.forget(start_s)
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
        for step in await self._not_final(rows.start_s):
            await self._confirm(step, rows)
        await self._finalize(rows.start_s, rows)
        return await self._close(rows.start_s, rows)

    async def _give_back(self, rows: IntervalRows) -> None:
        """Leaves the settlement aborted, everything returned; what it takes to get there is read from the chain."""
        async with self.pool.acquire() as connection, connection.transaction():
            await guard(connection, self.lease)
        async with _patience(rows.start_s):
            await abort.give_all_back(self.chain, self.keys.fee_payer, rows, self.priority_fee_micro_lamports)
        for step in await self._not_final(rows.start_s):
            if step.state == "confirmed":
                (status,) = await self.chain.statuses([Signature.from_string(str(step.signature))])
                if status is not None and status.error is None and status.reached("finalized"):
                    await self._record_final(step, status)

    # -- one step until it is in a block

    async def _confirm(self, step: StepRow, rows: IntervalRows) -> None:
        """Leaves the step confirmed or final; sends it at most once per lifetime of a blockhash."""
        async with _patience(step.start_s):
            while step.state not in {"confirmed", "finalized"}:
                if step.state == "planned":
                    await self._submit(step, rows)
                else:
                    await self._look(step)
                step = await self._reload(step)

    async def _submit(self, step: StepRow, rows: IntervalRows) -> None:
        if await onchain.is_done(self.chain, step, rows):
            async with self.pool.acquire() as connection, connection.transaction():
                await guard(connection, self.lease)
                await steps_of.record_done_elsewhere(connection, step, self.clock.now_ms())
            return
        instruction, signers = instruction_of(step, rows, self.keys, self.currency_mint)
        try:
            signed = await self.chain.prepare(
                [instruction], signers, price_micro_lamports=self.priority_fee_micro_lamports
            )
        except ProgramError as error:
            if step.kind == "open" and error.name == "TooLate":
                # the chain's clock only goes on, so that nothing signed before can open it either
                raise onchain.TooLateError(str(error)) from error
            # done at `confirmed` but not final yet, or truly refused: the next look tells
            raise StepRefusedError(f"{step.kind} of interval {rfc3339_s(step.start_s)}: {error}", error.name) from error
        async with self.pool.acquire() as connection, connection.transaction():
            await guard(connection, self.lease)
            await steps_of.record_signed(
                connection, step, str(signed.signature), signed.raw, signed.last_valid_height, self.clock.now_ms()
            )
        await self._send(signed.raw)

    async def _send(self, raw: bytes) -> None:
        try:
            await self.chain.send(raw, preflight=False)
        except (AlreadyProcessedError, BlockhashExpiredError, TransactionFailedError) as error:
            # its status says what became of it
            log.info("the chain answered to a transaction", code=error.code, reason=str(error))

    async def _look(self, step: StepRow) -> None:
        assert step.signature is not None and step.last_valid_block_height is not None  # noqa: S101 - it is submitted
        height = await self.chain.block_height()
        (status,) = await self.chain.statuses([Signature.from_string(step.signature)])
        if status is not None and status.reached("confirmed"):
            await self._record(step, status)
        elif status is None and height > step.last_valid_block_height:
            await self._void(step, "expired", None)
        else:
            await asyncio.sleep(POLL_S)
            if status is None:
                async with self.pool.acquire() as connection:
                    raw = await steps_of.raw_transaction(connection, step.signature)
                await self._send(raw)

    async def _record(self, step: StepRow, status: Status) -> None:
        if status.error is not None:
            await self._void(step, "failed", str(status.error))
            return
        async with self.pool.acquire() as connection, connection.transaction():
            await guard(connection, self.lease)
            await steps_of.record_confirmed(connection, step, status.slot, self.clock.now_ms())

    async def _void(self, step: StepRow, state: str, error: str | None) -> None:
        log.warning("a transaction will not count", step=step.kind, state=state, reason=error, signature=step.signature)
        async with self.pool.acquire() as connection, connection.transaction():
            await guard(connection, self.lease)
            await steps_of.record_void(connection, step, state, error, self.clock.now_ms())

    async def _reload(self, step: StepRow) -> StepRow:
        async with self.pool.acquire() as connection:
            steps = await steps_of.steps(connection, step.start_s)
        return next(one for one in steps if (one.kind, one.batch) == (step.kind, step.batch))

    # -- all steps until they are final

    async def _finalize(self, start_s: int, rows: IntervalRows) -> None:
        async with _patience(start_s):
            while open_steps := await self._not_final(start_s):
                sent = [step for step in open_steps if step.signature]
                statuses = await self.chain.statuses([Signature.from_string(str(step.signature)) for step in sent])
                for step, status in zip(sent, statuses, strict=True):
                    if status is None:
                        # the block that held it was abandoned: it may land again while its blockhash lives
                        await self._unconfirm(step)
                        await self._confirm(await self._reload(step), rows)
                    elif status.error is not None:
                        await self._void(step, "failed", str(status.error))
                        await self._confirm(await self._reload(step), rows)
                    elif status.reached("finalized"):
                        await self._record_final(step, status)
                await asyncio.sleep(POLL_S)

    async def _unconfirm(self, step: StepRow) -> None:
        log.warning("a transaction left the chain before it was final", step=step.kind, signature=step.signature)
        async with self.pool.acquire() as connection, connection.transaction():
            await guard(connection, self.lease)
            await steps_of.record_unconfirmed(connection, step, self.clock.now_ms())

    async def _not_final(self, start_s: int) -> list[StepRow]:
        async with self.pool.acquire() as connection:
            return [step for step in await steps_of.steps(connection, start_s) if step.state != "finalized"]

    async def _record_final(self, step: StepRow, status: Status) -> None:
        assert step.signature is not None  # noqa: S101 - only what was sent has a status
        units = await self.chain.compute_units(Signature.from_string(step.signature))
        async with self.pool.acquire() as connection, connection.transaction():
            await guard(connection, self.lease)
            await steps_of.record_finalized(connection, step, status.slot, units, self.clock.now_ms())

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
                await journal.append(connection, "settlement", payload)
        return closed


@contextlib.asynccontextmanager
async def _patience(start_s: int) -> AsyncIterator[None]:
    try:
        async with asyncio.timeout(PATIENCE_S):
            yield
    except TimeoutError as error:
        raise NotYetFinalError(f"Interval {rfc3339_s(start_s)} is not final after {PATIENCE_S:.0f} s") from error


async def read_currency_mint(chain: ChainClient) -> Pubkey:
    """The currency that the market settles in.

    Raises:
        RetryableError: the programs have not been set up on this chain.
    """
    market: Any = await chain.account("trading", "Market", pdas.market(), commitment=Finalized)
    if market is None:
        raise RetryableError(f"{chain.url} has no market yet: set the chain up first, see `peerwatt-hub doctor`")
    return Pubkey.from_bytes(bytes(market.currency_mint))
