"""Undoes a settlement that can not or shall not close: aborts it, returns its settled lines, closes it.

Afterwards it is as if nothing had been traded. A run goes on where an earlier run, or another caller's, has stopped.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from solders.instruction import Instruction
from solders.keypair import Keypair

from edge.wire import merkle
from hub.chain import pdas
from hub.chain.client import ChainClient
from hub.chain.errors import ProgramError
from hub.chain.instructions import trading
from hub.chain.transaction_outcome import Level

OPEN, RETURNING = 1, 5
LINES_PER_BATCH = 5
"""The number of lines that fit one transaction, with their proof of at most 16 hashes."""


async def unwind(
    chain: ChainClient,
    payer: Keypair,
    caller: Keypair,
    start_s: int,
    lines: Sequence[trading.Line],
    leaves: Sequence[bytes],
    *,
    price_micro_lamports: int = 0,
) -> bool:
    """Returns everybody's money; False when the settlement is over already.

    Args:
        chain: the chain that the interval settles on.
        payer: pays for the transactions.
        caller: the settler, or anyone 24 hours after the interval's end.
        start_s: the interval's start in Unix seconds.
        lines: in the order in which they were settled; at least the settled ones.
        leaves: the Merkle leaves of these lines.
        price_micro_lamports: priority fee per compute unit.

    Raises:
        ProgramError: ``TooEarlyToAbort``, or ``NotSettledLines`` when other lines were settled than these.
    """
    settlement = await chain.account("trading", "IntervalSettlement", pdas.settlement(start_s))
    if settlement is None or settlement.status not in (OPEN, RETURNING):
        return False
    sender = _Sender(chain, payer, price_micro_lamports)
    if settlement.status == OPEN:
        await sender.run(trading.abort(caller.pubkey(), start_s), caller)
        settlement = await chain.account("trading", "IntervalSettlement", pdas.settlement(start_s))
    returner = _LineReturner(sender, start_s, lines[: settlement.cursor], leaves[: settlement.cursor])
    # lines that others have returned are most likely the last ones; the second pass finds those that are not
    await returner.return_first(settlement.cursor - settlement.returned_count)
    try:
        await sender.run(trading.close_aborted(start_s), until="finalized")
    except ProgramError as error:
        if error.name != "LinesMissing":
            raise
        await returner.return_first(settlement.cursor)
        await sender.run(trading.close_aborted(start_s), until="finalized")
    return True


@dataclass(frozen=True)
class _Sender:
    chain: ChainClient
    payer: Keypair
    price_micro_lamports: int

    async def run(self, instruction: Instruction, *signers: Keypair, until: Level = "confirmed") -> None:
        """Sends and waits. Only the last transaction has to be final: it can not be final without those before it."""
        await self.chain.run(
            [instruction], [self.payer, *signers], price_micro_lamports=self.price_micro_lamports, until=until
        )


@dataclass(frozen=True)
class _LineReturner:
    sender: _Sender
    start_s: int
    lines: Sequence[trading.Line]
    leaves: Sequence[bytes]

    async def return_first(self, count: int) -> None:
        """Returns the money of the first ``count`` lines, from the last to the first; a returned line is left out."""
        for first in reversed(range(0, count, LINES_PER_BATCH)):
            await self._return(range(first, len(self.lines))[:LINES_PER_BATCH])

    async def _return(self, batch: range) -> None:
        """Returns the money of a batch of lines; line by line, from the last, when a part of it is returned already."""
        proof = range_proof(self.leaves, batch.start, batch.stop)
        instruction = trading.return_lines(self.start_s, batch.start, self.lines[batch.start : batch.stop], proof)
        try:
            await self.sender.run(instruction)
        except ProgramError as error:
            if error.name != "AlreadyReturned":
                raise
            for index in reversed(batch if len(batch) > 1 else ()):
                await self._return(range(index, index + 1))


def range_proof(leaves: Sequence[bytes], first: int, end: int) -> list[bytes]:
    """Returns the roots of the largest subtrees without a leaf of [first, end), from left to right."""
    if end <= 0 or first >= len(leaves):
        return [merkle.root(leaves)]
    if len(leaves) == 1:
        return []
    split = 1 << (len(leaves) - 1).bit_length() - 1
    left, right = leaves[:split], leaves[split:]
    return range_proof(left, first, min(end, split)) + range_proof(right, max(first - split, 0), end - split)
