"""Checks the block log, one block after another: links, signatures, content; counts what it holds; pure."""

import hashlib
import json

from solders.pubkey import Pubkey
from solders.signature import Signature

from hub.ledger.blocks import Header, fault, transactions_hash
from hub.ledger.errors import LedgerDamagedError
from hub.ledger.store.address_index import AddressIndexSum, addresses_of
from hub.ledger.store.queries import StoredBlock, StoredTransaction
from hub.ledger.store.snapshot import LogCounts


def authority_of(genesis: str) -> Pubkey:
    """Returns the authority that the genesis names, who signs every block.

    Raises:
        LedgerDamagedError: the genesis can not be read.
    """
    try:
        return Pubkey.from_string(json.loads(genesis)["authority"])
    except (ValueError, KeyError, TypeError) as error:
        raise LedgerDamagedError("The ledger's genesis can not be read: restore its folder from a backup") from error


class LogCheck:
    """Checks blocks in order, from the genesis on or from the block after a known header."""

    def __init__(
        self,
        genesis: str,
        authority: Pubkey,
        after: Header | None = None,
        advice: str = "Restore the folder from a backup",
    ) -> None:
        self._genesis = genesis
        self._authority = authority
        self._advice = advice
        self.head = after
        self.counts = LogCounts()
        """Of the blocks checked since the last ``start_counting``."""
        self.address_index_sum = AddressIndexSum()

    def start_counting(self) -> None:
        """Starts the counts and the sum over the index at zero again."""
        self.counts, self.address_index_sum = LogCounts(), AddressIndexSum()

    def check_next(self, block: StoredBlock) -> None:
        """Checks the next block against the one before it.

        Raises:
            LedgerDamagedError: it was changed, or does not follow; the slot is named.
        """
        header = block.header
        reason = fault(header, block.signature, self.head, self._authority) or self._content_fault(block)
        if reason:
            raise LedgerDamagedError(f"Block {header.slot} was changed: {reason}. {self._advice}")
        self.head = header
        rows = 0
        for position, stored in enumerate(block.transactions):
            addresses = addresses_of(stored)
            rows += len(addresses)
            self.address_index_sum.add_all(addresses, header.slot, position)
        self.counts = self.counts.with_block(len(block.transactions), rows)

    def _content_fault(self, block: StoredBlock) -> str | None:
        if self.head is None:
            is_same = hashlib.sha256(self._genesis.encode()).digest() == block.header.transactions_hash
            return None if is_same else "its genesis is another one"
        return content_fault(block.header, block.transactions)


def content_fault(header: Header, transactions: tuple[StoredTransaction, ...]) -> str | None:
    """Returns why these are not the transactions and results that the header commits to, or None."""
    if len(transactions) != header.transaction_count:
        return f"it has {len(transactions)} of its {header.transaction_count} transactions"
    if transactions_hash((stored.raw, stored.result) for stored in transactions) != header.transactions_hash:
        return "its transactions or their results are not those that were signed"
    # a transaction begins with the number of its signatures, one byte here; the first signature identifies it
    are_same = all(stored.raw[1 : 1 + Signature.LENGTH] == stored.signature for stored in transactions)
    return None if are_same else "a transaction stands under another signature than its own"
