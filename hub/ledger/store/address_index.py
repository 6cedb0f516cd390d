"""Which addresses each transaction names: what the index in the ledger's file must hold, as a sum that compares fast.

No block signs the index; it follows from the transactions, which are signed with their results.
"""

import json
from collections.abc import Iterable
from hashlib import sha256

from solders.message import MessageV0
from solders.pubkey import Pubkey
from solders.transaction import VersionedTransaction

from hub.ledger.store.repository import StoredTransaction

_MODULUS = 2**256


def named_by(stored: StoredTransaction) -> set[bytes]:
    """All addresses of a stored transaction, those that it loaded from tables included."""
    message = VersionedTransaction.from_bytes(stored.raw).message
    named = {bytes(key) for key in message.account_keys}
    if isinstance(message, MessageV0) and message.address_table_lookups:
        loaded = json.loads(stored.result)["loadedAddresses"]
        named |= {bytes(Pubkey.from_string(text)) for text in (*loaded["writable"], *loaded["readonly"])}
    return named


class AddressIndexSum:
    """A sum over index entries in which their order does not matter; each entry is there at most once."""

    def __init__(self) -> None:
        self._sum = 0

    def add(self, address: bytes, slot: int, position: int) -> None:
        entry = sha256(address + slot.to_bytes(8, "little", signed=True) + position.to_bytes(8, "little", signed=True))
        self._sum = (self._sum + int.from_bytes(entry.digest(), "little")) % _MODULUS

    def add_all(self, addresses: Iterable[bytes], slot: int, position: int) -> None:
        for address in addresses:
            self.add(address, slot, position)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, AddressIndexSum) and self._sum == other._sum

    __hash__ = None  # type: ignore[assignment] # it changes
