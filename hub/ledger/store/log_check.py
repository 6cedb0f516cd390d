"""Pure check of the block log, one block after another: links, signatures, content, and what they add up to."""

import hashlib
import json

from solders.pubkey import Pubkey
from solders.signature import Signature

from hub.ledger.blocks import Header, fault, transactions_hash
from hub.ledger.errors import LedgerDamagedError
from hub.ledger.store.address_index import AddressIndexSum, named_by
from hub.ledger.store.repository import StoredBlock, StoredTransaction
from hub.ledger.store.snapshot import Tally


def named_authority(genesis: str) -> Pubkey:
    """Whose signature the genesis demands on every block.

    Raises:
        LedgerDamagedError: the genesis can not be read.
    """
    try:
        return Pubkey.from_string(json.loads(genesis)["authority"])
    except (ValueError, KeyError, TypeError) as error:
        raise LedgerDamagedError("The ledger's genesis can not be read: restore its folder from a backup") from error


class LogCheck:
    """Takes the blocks in order, from the genesis or from after a header that is known."""

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
        self.tally = Tally()
        """Of the blocks taken since the last ``start_counting``."""
        self.address_index_sum = AddressIndexSum()

    def start_counting(self) -> None:
        """What was taken so far is counted elsewhere."""
        self.tally, self.address_index_sum = Tally(), AddressIndexSum()

    def take(self, block: StoredBlock) -> None:
        """Checks the next block against the one before it.

        Raises:
            LedgerDamagedError: it was changed, or does not follow; the slot is named.
        """
        header = block.header
        wrong = fault(header, block.signature, self.head, self._authority) or self._content_fault(block)
        if wrong:
            raise LedgerDamagedError(f"Block {header.slot} was changed: {wrong}. {self._advice}")
        self.head = header
        rows = 0
        for position, stored in enumerate(block.transactions):
            named = named_by(stored)
            rows += len(named)
            self.address_index_sum.add_all(named, header.slot, position)
        self.tally = self.tally.plus(len(block.transactions), rows)

    def _content_fault(self, block: StoredBlock) -> str | None:
        if self.head is None:
            same = hashlib.sha256(self._genesis.encode()).digest() == block.header.transactions_hash
            return None if same else "its genesis is another one"
        return content_fault(block.header, block.transactions)


def content_fault(header: Header, transactions: tuple[StoredTransaction, ...]) -> str | None:
    """Why these are not the transactions and results that the header commits to, or None."""
    if len(transactions) != header.transaction_count:
        return f"it has {len(transactions)} of its {header.transaction_count} transactions"
    if transactions_hash((t.raw, t.result) for t in transactions) != header.transactions_hash:
        return "its transactions or their results are not those that were signed"
    # a transaction begins with the number of its signatures, one byte here, and the first of them is its name
    same = all(t.raw[1 : 1 + Signature.LENGTH] == t.signature for t in transactions)
    return None if same else "a transaction stands under another signature than its own"
