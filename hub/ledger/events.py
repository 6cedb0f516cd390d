"""What the chain tells those who listen: which transactions and accounts have now reached a commitment."""

from collections.abc import Callable
from dataclasses import dataclass

from solders.pubkey import Pubkey

from hub.ledger.recent import Confirmation
from hub.ledger.store.repository import StoredTransaction


@dataclass(frozen=True)
class ChainEvent:
    """Part of one block; processed comes by the transaction, the rest by the block."""

    level: Confirmation
    slot: int
    transactions: tuple[StoredTransaction, ...] = ()
    changed: tuple[Pubkey, ...] = ()
    """Accounts that are now, at that commitment, other than before."""


Listener = Callable[[ChainEvent], None]
