"""When blocks are made: a batch is stored a few hundredths of a second after its first transaction, and an empty block
seals it soon after, so that a transaction is final well within half a second and an idle chain writes nothing."""

import asyncio
import contextlib
import logging

from solders.transaction import VersionedTransaction

from hub.ledger.chain import Chain
from hub.ledger.errors import WriteRefusedError

logger = logging.getLogger(__name__)

BATCH_S = 0.04
SEAL_S = 0.1
_RETRY_S = 1.0


class Producer:
    """Runs the chain's blocks in the event loop that serves the requests."""

    def __init__(self, chain: Chain) -> None:
        self._chain = chain
        self._work = asyncio.Event()

    def submit(self, transaction: VersionedTransaction, raw: bytes) -> None:
        """Runs the transaction now; its block is stored within the batch time.

        Raises:
            WriteRefusedError: the disk is full.
        """
        self._work.set()
        self._chain.submit(transaction, raw)
        if self._chain.open_block_full:
            self._chain.commit()

    async def run(self) -> None:
        """Closes and seals blocks until cancelled."""
        while True:
            await self._work.wait()
            self._work.clear()
            await asyncio.sleep(BATCH_S)
            try:
                self._chain.commit()
                await self._seal()
            except WriteRefusedError as error:
                logger.error("%s", error)  # noqa: TRY400 - the message says it all
            if self._chain.write_fault:
                await self._recover()

    async def _recover(self) -> None:
        while self._chain.write_fault:
            await asyncio.sleep(_RETRY_S)
            with contextlib.suppress(WriteRefusedError):
                self._chain.recover()
        logger.info("The ledger can write again")
        self._work.set()

    async def _seal(self) -> None:
        if not self._chain.awaits_seal:
            return
        try:
            await asyncio.wait_for(self._work.wait(), SEAL_S)
        except TimeoutError:
            self._chain.seal()
