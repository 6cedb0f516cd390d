"""The way back of a settlement that can not or shall not close: aborted, its settled lines returned, closed.

It is as if nothing had been traded. Goes on wherever an earlier run, or somebody else's, has stopped.
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
LINES_A_BATCH = 5
"""Lines with their proof of at most 16 hashes that fit one transaction."""


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
    """Gives everybody their money back; False when the settlement is over already.

    Args:
        chain: where the interval that starts at ``start_s`` has a settlement.
        payer: pays for the transactions.
        caller: the settler, or anyone 24 hours after the interval's end.
        start_s: Unix seconds.
        lines: in the order in which they were settled, at least the settled ones.
        leaves: of these lines.
        price_micro_lamports: priority fee per compute unit.

    Raises:
        ProgramError: ``TooEarlyToAbort``; ``NotSettledLines`` when others were settled than these.
    """
    found = await chain.account("trading", "IntervalSettlement", pdas.settlement(start_s))
    if found is None or found.status not in (OPEN, RETURNING):
        return False
    sender = _Sender(chain, payer, price_micro_lamports)
    if found.status == OPEN:
        await sender.run(trading.abort(caller.pubkey(), start_s), caller)
        found = await chain.account("trading", "IntervalSettlement", pdas.settlement(start_s))
    way = _Way(sender, start_s, lines[: found.cursor], leaves[: found.cursor])
    # most likely the returned lines are the last ones; those that are not are seen in the second pass
    await way.back(found.cursor - found.returned_count)
    try:
        await sender.run(trading.close_aborted(start_s), until="finalized")
    except ProgramError as error:
        if error.name != "LinesMissing":
            raise
        await way.back(found.cursor)
        await sender.run(trading.close_aborted(start_s), until="finalized")
    return True


@dataclass(frozen=True)
class _Sender:
    chain: ChainClient
    payer: Keypair
    price_micro_lamports: int

    async def run(self, made: Instruction, *others: Keypair, until: Level = "confirmed") -> None:
        """Only the last transaction is waited for until it is final: it can not be final without those before."""
        signed = await self.chain.prepare([made], [self.payer, *others], price_micro_lamports=self.price_micro_lamports)
        await self.chain.send(signed)
        await self.chain.wait(signed, until=until)


@dataclass(frozen=True)
class _Way:
    sender: _Sender
    start_s: int
    lines: Sequence[trading.Line]
    leaves: Sequence[bytes]
    """Of the settled lines, as these."""

    async def back(self, count: int) -> None:
        """Returns the first ``count`` lines, the last first, but none that is returned already."""
        for first in reversed(range(0, count, LINES_A_BATCH)):
            await self._return(range(first, len(self.lines))[:LINES_A_BATCH])

    async def _return(self, batch: range) -> None:
        """Returns a batch; one of which a part is returned already goes line by line, the last first."""
        proof = range_proof(self.leaves, batch.start, batch.stop)
        made = trading.return_lines(self.start_s, batch.start, self.lines[batch.start : batch.stop], proof)
        try:
            await self.sender.run(made)
        except ProgramError as error:
            if error.name != "AlreadyReturned":
                raise
            for index in reversed(batch if len(batch) > 1 else ()):
                await self._return(range(index, index + 1))


def range_proof(leaves: Sequence[bytes], first: int, end: int) -> list[bytes]:
    """The roots of the largest subtrees of the leaves' tree without any of first..end, from left to right."""
    if end <= 0 or first >= len(leaves):
        return [merkle.root(leaves)]
    if len(leaves) == 1:
        return []
    split = 1 << (len(leaves) - 1).bit_length() - 1
    left, right = leaves[:split], leaves[split:]
    return range_proof(left, first, min(end, split)) + range_proof(right, max(first - split, 0), end - split)
