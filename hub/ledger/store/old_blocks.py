"""Checks blocks from before the snapshot, which a start does not check, when they are first read."""

from solders.pubkey import Pubkey
from solders.signature import Signature

from hub.ledger.errors import LedgerDamagedError
from hub.ledger.store.log_check import content_fault
from hub.ledger.store.repository import Repository

_MAX_REMEMBERED = 100_000


class OldBlocks:
    """Checks old blocks and remembers which are genuine."""

    def __init__(self, repository: Repository, authority: Pubkey, checked_from_slot: int) -> None:
        self._repository = repository
        self._authority = authority
        self._checked_from_slot = checked_from_slot
        self._genuine: set[int] = set()

    def require_genuine(self, slot: int) -> None:
        """Checks that the block of that slot is the one that the authority signed.

        Raises:
            LedgerDamagedError: the block was changed, or is missing.
        """
        if slot >= self._checked_from_slot or slot in self._genuine or slot == 0:
            return
        block = self._repository.block(slot)
        if block is None:
            raise LedgerDamagedError(f"Block {slot} is missing: restore the ledger's folder from a backup")
        header = block.header
        reason = content_fault(header, block.transactions)
        if not Signature.from_bytes(block.signature).verify(self._authority, header.encode()):
            reason = "its signature is not the authority's"
        if reason:
            raise LedgerDamagedError(f"Block {slot} was changed: {reason}. Restore the folder from a backup")
        if len(self._genuine) >= _MAX_REMEMBERED:
            self._genuine.clear()
        self._genuine.add(slot)
