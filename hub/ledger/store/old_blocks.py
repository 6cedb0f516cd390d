"""Blocks from before the snapshot, which a start leaves aside: each is checked when it is asked for the first time."""

from solders.pubkey import Pubkey
from solders.signature import Signature

from hub.ledger.errors import LedgerDamagedError
from hub.ledger.store.log_check import content_fault
from hub.ledger.store.repository import Repository

_MAX_REMEMBERED = 100_000


class OldBlocks:
    """Remembers which of them were found good."""

    def __init__(self, repository: Repository, authority: Pubkey, checked_from: int) -> None:
        self._repository = repository
        self._authority = authority
        self._checked_from = checked_from
        self._good: set[int] = set()

    def require_genuine(self, slot: int) -> None:
        """Returns when the block of that slot is the one that the authority signed.

        Raises:
            LedgerDamagedError: it is not, or it is gone.
        """
        if slot >= self._checked_from or slot in self._good or slot == 0:
            return
        block = self._repository.block(slot)
        if block is None:
            raise LedgerDamagedError(f"Block {slot} is missing: restore the ledger's folder from a backup")
        header = block.header
        wrong = content_fault(header, block.transactions)
        if not Signature.from_bytes(block.signature).verify(self._authority, header.encode()):
            wrong = "its signature is not the authority's"
        if wrong:
            raise LedgerDamagedError(f"Block {slot} was changed: {wrong}. Restore the folder from a backup")
        if len(self._good) >= _MAX_REMEMBERED:
            self._good.clear()
        self._good.add(slot)
