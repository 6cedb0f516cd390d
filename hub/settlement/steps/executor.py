"""Carries the steps of one interval onto the chain: signed, stored, sent, watched until a quorum calls them final.

A step is planned -> submitted -> confirmed -> finalized, or back to planned when its transaction failed or expired for
good. Everything stands in the database before it is sent, so that whoever follows asks the chain first.
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
from hub.chain.quorum import nodes_disagree
from hub.chain.transaction_outcome import Sent, Status, TransactionOutcome
from hub.clock import Clock, rfc3339_s
from hub.errors import RetryableError
from hub.postgres.db import Connection, Pool
from hub.postgres.lease import Lease, guard
from hub.settlement import onchain
from hub.settlement.instructions import IntervalRows, instruction_of
from hub.settlement.keys import SettlementKeys
from hub.settlement.steps import repository
from hub.settlement.steps.repository import StepRow

log = structlog.get_logger()

POLL_S = 0.05
LOOKS_A_SEND = 20
"""What no node knows is sent again once a second, as it is."""
PATIENCE_S = 40.0
"""Agave makes a block final after 13 s, and on a busy machine after 18 s (docs/validator.md)."""


class StepRefusedError(RetryableError):
    """A program refused a step, and the chain does not hold it either; tried again with a pause."""

    code = "step_refused"

    def __init__(self, message: str, refusal: str) -> None:
        super().__init__(message)
        self.refusal = refusal
        """The program's name for it."""


@dataclass(frozen=True)
class StepExecutor:
    """One leader's hands on the steps of one interval."""

    pool: Pool
    lease: Lease
    clock: Clock
    chain: ChainClient
    keys: SettlementKeys
    currency_mint: Pubkey
    rows: IntervalRows
    price_micro_lamports: int = 0
    _outcomes: dict[str, TransactionOutcome] = field(default_factory=dict)
    """By signature, as last seen."""

    async def carry(self) -> None:
        """Leaves every step final.

        Raises:
            NotYetFinalError, NodesDisagreeError: that takes longer than is waited for here.
            StepRefusedError, ConflictError, AbortedError, TooLateError: it can not be had.
            ChainUnreachableError: the chain is away.
        """
        # what an earlier run saw confirmed may have left the chain since, and the next step builds on it
        await self._go_on([step for step in await self._open_steps() if step.state == "confirmed"])
        for step in await self._open_steps():
            await self._confirm(step)
        await self._finalize()

    async def record_what_is_final(self) -> None:
        """Of an interval that goes no further: which of its transactions count."""
        steps = [step for step in await self._open_steps() if step.state == "confirmed"]
        for step, outcome in zip(steps, await self._look_at(steps), strict=True):
            if outcome.status is not None and outcome.status.error is None and outcome.status.reached("finalized"):
                await self._record_final(step, outcome.status)

    # -- one step until it is in a block

    async def _confirm(self, step: StepRow) -> None:
        """Leaves the step confirmed or final; it is signed anew only when what was signed before can not land."""
        async with self.patience():
            looks = 0
            while step.state not in {"confirmed", "finalized"}:
                if step.state == "planned":
                    await self._submit(step)
                else:
                    await self._look(step, send=looks % LOOKS_A_SEND == 0)
                looks += 1
                step = await self._reload(step)

    async def _submit(self, step: StepRow) -> None:
        if await onchain.is_done(self.chain, step, self.rows):
            async with self._led() as connection:
                await repository.record_done_elsewhere(connection, step, self.clock.now_ms())
            return
        instruction, signers = instruction_of(step, self.rows, self.keys, self.currency_mint)
        try:
            signed = await self.chain.prepare([instruction], signers, price_micro_lamports=self.price_micro_lamports)
        except ProgramError as error:
            if step.kind == "open" and error.name == "TooLate" and onchain.is_late(self.rows, self.clock):
                # the chain's clock only goes on, so that nothing signed before can open it either
                raise onchain.TooLateError(str(error)) from error
            self._raise_dispute(error)
            # done at `confirmed` but not final yet, or truly refused: the next look tells
            raise StepRefusedError(f"{step.kind} of interval {rfc3339_s(step.start_s)}: {error}", error.name) from error
        async with self._led() as connection:
            await repository.record_signed(
                connection, step, str(signed.signature), signed.raw, signed.last_valid_height, self.clock.now_ms()
            )
        await self._send(signed.raw)

    async def _send(self, raw: bytes) -> None:
        try:
            await self.chain.send(raw, preflight=False)
        except (AlreadyProcessedError, BlockhashExpiredError, TransactionFailedError) as error:
            # its status says what became of it
            log.info("the chain answered to a transaction", code=error.code, reason=str(error))

    async def _look(self, step: StepRow, *, send: bool) -> None:
        (outcome,) = await self._look_at([step])
        if await self._void_if_lost(step, outcome):
            return
        if outcome.status is not None and outcome.status.error is None and outcome.status.reached("confirmed"):
            async with self._led() as connection:
                await repository.record_confirmed(connection, step, outcome.status.slot, self.clock.now_ms())
            return
        if send and not outcome.known:
            async with self.pool.acquire() as connection:
                raw = await repository.raw_transaction(connection, str(step.signature))
            await self._send(raw)
        await asyncio.sleep(POLL_S)

    async def _void_if_lost(self, step: StepRow, outcome: TransactionOutcome) -> bool:
        """Whether the step's transaction will never count, which is sure only when it is final; it is planned again."""
        if outcome.expired:
            state, error = "expired", None
        elif outcome.status is not None and outcome.status.error is not None and outcome.status.reached("finalized"):
            state, error = "failed", str(outcome.status.error)
        else:
            return False
        log.warning("a transaction will not count", step=step.kind, state=state, reason=error, signature=step.signature)
        async with self._led() as connection:
            await repository.record_void(connection, step, state, error, self.clock.now_ms())
        return True

    # -- all steps until they are final

    async def _finalize(self) -> None:
        async with self.patience():
            while steps := await self._open_steps():
                await self._go_on(steps)
                await asyncio.sleep(POLL_S)

    async def _go_on(self, steps: list[StepRow]) -> None:
        for step, outcome in zip(steps, await self._look_at(steps), strict=True):
            await self._follow(step, outcome)

    async def _follow(self, step: StepRow, outcome: TransactionOutcome) -> None:
        if await self._void_if_lost(step, outcome):
            await self._confirm(await self._reload(step))
        elif outcome.status is None:
            # the block that held it was abandoned: it may land again while its blockhash lives
            log.warning("a transaction left the chain before it was final", step=step.kind, signature=step.signature)
            async with self._led() as connection:
                await repository.record_unconfirmed(connection, step, self.clock.now_ms())
            await self._confirm(await self._reload(step))
        elif outcome.status.reached("finalized"):
            await self._record_final(step, outcome.status)

    async def _record_final(self, step: StepRow, status: Status) -> None:
        units = await self.chain.compute_units(_sent(step).signature)
        async with self._led() as connection:
            await repository.record_finalized(connection, step, status.slot, units, self.clock.now_ms())

    # -- what all of it needs

    async def _look_at(self, steps: list[StepRow]) -> list[TransactionOutcome]:
        outcomes = await self.chain.outcomes([_sent(step) for step in steps]) if steps else []
        self._outcomes.update({str(step.signature): outcome for step, outcome in zip(steps, outcomes, strict=True)})
        return outcomes

    @contextlib.asynccontextmanager
    async def _led(self) -> AsyncIterator[Connection]:
        async with self.pool.acquire() as connection, connection.transaction():
            await guard(connection, self.lease)
            yield connection

    async def _reload(self, step: StepRow) -> StepRow:
        async with self.pool.acquire() as connection:
            steps = await repository.steps(connection, step.start_s)
        return next(one for one in steps if (one.kind, one.batch) == (step.kind, step.batch))

    async def _open_steps(self) -> list[StepRow]:
        async with self.pool.acquire() as connection:
            return [step for step in await repository.steps(connection, self.rows.start_s) if step.state != "finalized"]

    @contextlib.asynccontextmanager
    async def patience(self) -> AsyncIterator[None]:
        """Ends the block when it takes too long, and says what the nodes have said."""
        try:
            async with asyncio.timeout(PATIENCE_S):
                yield
        except TimeoutError as error:
            self._raise_dispute(error)
            start = rfc3339_s(self.rows.start_s)
            raise NotYetFinalError(f"Interval {start} is not final after {PATIENCE_S:.0f} s") from error

    def _raise_dispute(self, cause: Exception) -> None:
        """Where nodes disagree on a step, that is why the interval does not get on."""
        for signature, outcome in self._outcomes.items():
            if outcome.disputed:
                what = f"transaction {signature} of interval {rfc3339_s(self.rows.start_s)}"
                raise nodes_disagree("finality", what, outcome.told) from cause


def _sent(step: StepRow) -> Sent:
    assert step.signature is not None and step.last_valid_block_height is not None  # noqa: S101 - it was signed
    return Sent(Signature.from_string(step.signature), step.last_valid_block_height)
