"""Closes blocks: a block is stored 40 ms after its first transaction, and an empty block makes it final 100 ms later.

A transaction is final well within half a second, and an idle chain writes nothing.
"""

import asyncio
import contextlib

import structlog
from solders.transaction import VersionedTransaction

from hub.ledger.chain import Chain
from hub.ledger.errors import WriteRefusedError

log = structlog.get_logger()

BATCH_S = 0.04
"""From a block's first transaction until it is stored."""
FINALISE_S = 0.1
"""From a stored block until an empty one follows it, unless another transaction comes."""
_RETRY_S = 1.0


class Producer:
    """Closes and finalises the chain's blocks, in the event loop that serves the requests."""

    def __init__(self, chain: Chain) -> None:
        self._chain = chain
        self._transaction_waits = asyncio.Event()

    def submit(self, transaction: VersionedTransaction, raw: bytes) -> None:
        """Runs the transaction now; its block is stored within the batch time.

        Raises:
            WriteRefusedError: the disk is full.
        """
        self._transaction_waits.set()
        self._chain.submit(transaction, raw)
        if self._chain.open_block_full:
            self._chain.commit()

    async def run(self) -> None:
        """Closes and finalises blocks until cancelled."""
        while True:
            await self._transaction_waits.wait()
            self._transaction_waits.clear()
            await asyncio.sleep(BATCH_S)
            try:
                self._chain.commit()
                await self._finalise()
            except WriteRefusedError as error:
                log.error("a block was not stored", error=str(error))  # noqa: TRY400 - the message is enough
            if self._chain.write_fault:
                await self._recover()

    async def _recover(self) -> None:
        while self._chain.write_fault:
            await asyncio.sleep(_RETRY_S)
            with contextlib.suppress(WriteRefusedError):
                self._chain.recover()
        log.info("the ledger can write again")
        self._transaction_waits.set()

    async def _finalise(self) -> None:
        if not self._chain.awaits_finality:
            return
        try:
            await asyncio.wait_for(self._transaction_waits.wait(), FINALISE_S)
        except TimeoutError:
            self._chain.finalise()
