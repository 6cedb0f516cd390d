"""Events of the chain for its listeners: which transactions and accounts have now reached a commitment."""

from collections.abc import Callable
from dataclasses import dataclass

from solders.pubkey import Pubkey

from hub.ledger.recent import Commitment
from hub.ledger.store.queries import StoredTransaction


@dataclass(frozen=True)
class ChainEvent:
    """One transaction when it is processed, or one block when it is confirmed or final."""

    commitment: Commitment
    slot: int
    transactions: tuple[StoredTransaction, ...] = ()
    changed: tuple[Pubkey, ...] = ()
    """Accounts whose content at that commitment is new."""


Listener = Callable[[ChainEvent], None]
