"""Carries out the steps of one interval: signs, stores and sends transactions until a quorum has each of them final.

The states of a step are planned -> submitted -> confirmed -> finalized; it goes back to planned when its transaction
has failed or expired for good. A transaction is stored before it is sent, so that a process that takes over first asks
the chain for it.
"""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from dataclasses import dataclass, field

import structlog
from solders.pubkey import Pubkey
from solders.signature import Signature

from hub.chain.client import ChainClient
from hub.chain.errors import (
    AlreadyProcessedError,
    BlockhashExpiredError,
    NotYetFinalError,
    ProgramError,
    TransactionFailedError,
)
from hub.chain.quorum import nodes_disagree_error
from hub.chain.transaction_outcome import SentTransaction, Status, TransactionOutcome
from hub.clock import Clock, rfc3339_s
from hub.errors import RetryableError
from hub.postgres.db import Connection, Pool
from hub.postgres.lease import Lease, guard
from hub.settlement import onchain
from hub.settlement.instructions import instruction_of
from hub.settlement.keys import SettlementKeys
from hub.settlement.repository import IntervalRows
from hub.settlement.steps import repository
from hub.settlement.steps.repository import StepRow

log = structlog.get_logger()

POLL_S = 0.05
POLLS_PER_SEND = 20
"""A transaction that no node knows is sent again, unchanged, once a second."""
TIME_LIMIT_S = 40.0
"""Agave makes a block final after 13 s, and on a busy machine after 18 s (docs/validator.md)."""


class StepRefusedError(RetryableError):
    """A program refused a step, and the chain does not hold its effect either; try again after a pause."""

    code = "step_refused"

    def __init__(self, message: str, refusal: str) -> None:
        super().__init__(message)
        self.refusal = refusal
        """The name of the program's error."""


@dataclass(frozen=True)
class StepExecutor:
    """Carries out the steps of one interval, under one leader's lease."""

    pool: Pool
    lease: Lease
    clock: Clock
    chain: ChainClient
    keys: SettlementKeys
    currency_mint: Pubkey
    rows: IntervalRows
    price_micro_lamports: int = 0
    _outcomes: dict[str, TransactionOutcome] = field(default_factory=dict)
    """By signature the outcome of each transaction when it was last read."""

    async def run(self) -> None:
        """Carries out every step until all are final.

        Raises:
            NotYetFinalError: a step was not final within ``TIME_LIMIT_S``.
            NodesDisagreeError: the same, because the nodes disagree.
            StepRefusedError: a program refused a step.
            ConflictError: the chain holds other contents.
            AbortedError: the settlement was aborted.
            TooLateError: the interval can not be opened any more.
            ChainUnreachableError: the chain does not answer.
            LeaseLostError: another process leads.
        """
        # a block that held a confirmed step may have been abandoned since, and the next step builds on it
        await self._follow_all([step for step in await self._open_steps() if step.state == "confirmed"])
        for step in await self._open_steps():
            await self._confirm(step)
        await self._finalize()

    async def record_final_transactions(self) -> None:
        """Records which transactions of an interval that is not continued are final.

        Raises:
            ChainUnreachableError: the chain does not answer.
            LeaseLostError: another process leads.
        """
        steps = [step for step in await self._open_steps() if step.state == "confirmed"]
        for step, outcome in zip(steps, await self._read_outcomes(steps), strict=True):
            if outcome.status is not None and outcome.status.error is None and outcome.status.reached("finalized"):
                await self._record_final(step, outcome.status)

    # -- one step until it is in a block

    async def _confirm(self, step: StepRow) -> None:
        """Returns when the step is confirmed or final; signs anew only when the earlier transaction can not land."""
        async with self.time_limit():
            polls = 0
            while step.state not in {"confirmed", "finalized"}:
                if step.state == "planned":
                    await self._submit(step)
                else:
                    await self._poll(step, send=polls % POLLS_PER_SEND == 0)
                polls += 1
                step = await self._reload(step)

    async def _submit(self, step: StepRow) -> None:
        if await onchain.is_done(self.chain, step, self.rows):
            async with self._leader_transaction() as connection:
                await repository.record_done_elsewhere(connection, step, self.clock.now_ms())
            return
        instruction, signers = instruction_of(step, self.rows, self.keys, self.currency_mint)
        try:
            signed = await self.chain.prepare([instruction], signers, price_micro_lamports=self.price_micro_lamports)
        except ProgramError as error:
            if step.kind == "open" and error.name == "TooLate" and onchain.is_too_late_to_open(self.rows, self.clock):
                # the chain's clock never goes back, so an earlier transaction can not open the interval either
                raise onchain.TooLateError(str(error)) from error
            self._raise_disagreement(error)
            # the effect is confirmed but not final yet, or the step is refused for good: the next try shows which
            raise StepRefusedError(f"{step.kind} of interval {rfc3339_s(step.start_s)}: {error}", error.name) from error
        async with self._leader_transaction() as connection:
            await repository.record_signed(
                connection, step, str(signed.signature), signed.raw, signed.last_valid_height, self.clock.now_ms()
            )
        await self._send(signed.raw)

    async def _send(self, raw: bytes) -> None:
        try:
            await self.chain.send(raw, preflight=False)
        except (AlreadyProcessedError, BlockhashExpiredError, TransactionFailedError) as error:
            # the next poll of its status shows the outcome
            log.info("the chain answered to a transaction", code=error.code, reason=str(error))

    async def _poll(self, step: StepRow, *, send: bool) -> None:
        (outcome,) = await self._read_outcomes([step])
        if await self._void_if_lost(step, outcome):
            return
        if outcome.status is not None and outcome.status.error is None and outcome.status.reached("confirmed"):
            async with self._leader_transaction() as connection:
                await repository.record_confirmed(connection, step, outcome.status.slot, self.clock.now_ms())
            return
        if send and not outcome.known:
            async with self.pool.acquire() as connection:
                raw = await repository.raw_transaction(connection, str(step.signature))
            await self._send(raw)
        await asyncio.sleep(POLL_S)

    async def _void_if_lost(self, step: StepRow, outcome: TransactionOutcome) -> bool:
        """Returns True, with the step planned again, when its transaction has failed or expired for good."""
        if outcome.expired:
            state, error = "expired", None
        elif outcome.status is not None and outcome.status.error is not None and outcome.status.reached("finalized"):
            state, error = "failed", str(outcome.status.error)
        else:
            return False
        log.warning("a transaction will not count", step=step.kind, state=state, reason=error, signature=step.signature)
        async with self._leader_transaction() as connection:
            await repository.record_void(connection, step, state, error, self.clock.now_ms())
        return True

    # -- all steps until they are final

    async def _finalize(self) -> None:
        async with self.time_limit():
            while steps := await self._open_steps():
                await self._follow_all(steps)
                await asyncio.sleep(POLL_S)

    async def _follow_all(self, steps: list[StepRow]) -> None:
        for step, outcome in zip(steps, await self._read_outcomes(steps), strict=True):
            await self._follow(step, outcome)

    async def _follow(self, step: StepRow, outcome: TransactionOutcome) -> None:
        if await self._void_if_lost(step, outcome):
            await self._confirm(await self._reload(step))
        elif outcome.status is None:
            # its block was abandoned: it may land in another one while its blockhash is valid
            log.warning("a transaction left the chain before it was final", step=step.kind, signature=step.signature)
            async with self._leader_transaction() as connection:
                await repository.record_unconfirmed(connection, step, self.clock.now_ms())
            await self._confirm(await self._reload(step))
        elif outcome.status.reached("finalized"):
            await self._record_final(step, outcome.status)

    async def _record_final(self, step: StepRow, status: Status) -> None:
        units = await self.chain.compute_units(_sent(step).signature)
        async with self._leader_transaction() as connection:
            await repository.record_finalized(connection, step, status.slot, units, self.clock.now_ms())

    # -- shared by both

    async def _read_outcomes(self, steps: list[StepRow]) -> list[TransactionOutcome]:
        outcomes = await self.chain.outcomes([_sent(step) for step in steps])
        self._outcomes.update({str(step.signature): outcome for step, outcome in zip(steps, outcomes, strict=True)})
        return outcomes

    @contextlib.asynccontextmanager
    async def _leader_transaction(self) -> AsyncIterator[Connection]:
        async with self.pool.acquire() as connection, connection.transaction():
            await guard(connection, self.lease)
            yield connection

    async def _reload(self, step: StepRow) -> StepRow:
        async with self.pool.acquire() as connection:
            steps = await repository.steps(connection, step.start_s)
        return next(row for row in steps if (row.kind, row.batch) == (step.kind, step.batch))

    async def _open_steps(self) -> list[StepRow]:
        async with self.pool.acquire() as connection:
            return [step for step in await repository.steps(connection, self.rows.start_s) if step.state != "finalized"]

    @contextlib.asynccontextmanager
    async def time_limit(self) -> AsyncIterator[None]:
        """Ends the block after ``TIME_LIMIT_S``.

        Raises:
            NodesDisagreeError: the time is over, and the nodes disagree on a transaction.
            NotYetFinalError: the time is over for another reason.
        """
        try:
            async with asyncio.timeout(TIME_LIMIT_S):
                yield
        except TimeoutError as error:
            self._raise_disagreement(error)
            start = rfc3339_s(self.rows.start_s)
            raise NotYetFinalError(f"Interval {start} is not final after {TIME_LIMIT_S:.0f} s") from error

    def _raise_disagreement(self, cause: Exception) -> None:
        """Raises NodesDisagreeError when the nodes disagree on a transaction of the interval."""
        for signature, outcome in self._outcomes.items():
            if outcome.disputed:
                what = f"transaction {signature} of interval {rfc3339_s(self.rows.start_s)}"
                raise nodes_disagree_error("finality", what, outcome.details) from cause


def _sent(step: StepRow) -> SentTransaction:
    assert step.signature is not None and step.last_valid_block_height is not None  # noqa: S101 - it was signed
    return SentTransaction(Signature.from_string(step.signature), step.last_valid_block_height)
