"""The way back of a settlement that can not or shall not close: aborted, its settled lines returned, closed.

It is as if nothing had been traded. Goes on wherever an earlier run, or somebody else's, has stopped.
"""

from collections.abc import Sequence

from solders.keypair import Keypair

from edge.wire import merkle
from hub.chain import pdas
from hub.chain.client import ChainClient
from hub.chain.errors import ProgramError
from hub.chain.instructions import trading

OPEN, RETURNING = 1, 5
LINES_A_BATCH = 5
"""With 16 hashes beside them they fit a transaction."""


async def give_back(
    chain: ChainClient,
    payer: Keypair,
    caller: Keypair,
    start_s: int,
    lines: Sequence[trading.Line],
    leaves: Sequence[bytes],
) -> bool:
    """Gives everybody their money back; False when the settlement is over already.

    Args:
        chain: where the interval that starts at ``start_s`` has a settlement.
        payer: pays for the transactions.
        caller: the settler, or anyone 24 hours after the interval's end.
        start_s: Unix seconds.
        lines: in the order in which they were settled, at least the settled ones.
        leaves: of these lines.

    Raises:
        ProgramError: ``TooEarlyToAbort``; ``NotSettledLines`` when others were settled than these.
    """
    found = await chain.account("trading", "IntervalSettlement", pdas.settlement(start_s))
    if found is None or found.status not in (OPEN, RETURNING):
        return False
    if found.status == OPEN:
        await chain.run([trading.abort(caller.pubkey(), start_s)], [payer, caller])
        found = await chain.account("trading", "IntervalSettlement", pdas.settlement(start_s))
    settled = found.cursor
    for first in reversed(range(0, settled, LINES_A_BATCH)):
        await _return(chain, payer, start_s, lines[:settled], leaves[:settled], range(first, settled)[:LINES_A_BATCH])
    await chain.run([trading.close_aborted(start_s)], [payer])
    return True


async def _return(
    chain: ChainClient,
    payer: Keypair,
    start_s: int,
    lines: Sequence[trading.Line],
    leaves: Sequence[bytes],
    batch: range,
) -> None:
    """Returns a batch; one of which a part is returned already goes line by line, the last first."""
    proof = beside(leaves, batch.start, batch.stop)
    made = trading.return_lines(start_s, batch.start, lines[batch.start : batch.stop], proof)
    try:
        await chain.run([made], [payer])
    except ProgramError as error:
        if error.name != "AlreadyReturned":
            raise
        for index in reversed(batch if len(batch) > 1 else ()):
            await _return(chain, payer, start_s, lines, leaves, range(index, index + 1))


def beside(leaves: Sequence[bytes], first: int, end: int) -> list[bytes]:
    """The roots of the largest subtrees of the leaves' tree without any of first..end, from left to right."""
    if end <= 0 or first >= len(leaves):
        return [merkle.root(leaves)]
    if len(leaves) == 1:
        return []
    split = 1 << (len(leaves) - 1).bit_length() - 1
    left, right = leaves[:split], leaves[split:]
    return beside(left, first, min(end, split)) + beside(right, max(first - split, 0), end - split)
