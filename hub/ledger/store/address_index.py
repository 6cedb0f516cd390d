"""The index of addresses: which addresses each transaction names, and a sum over the entries to compare it with.

No block signs the index; it follows from the transactions, which are signed with their results.
"""

import json
from collections.abc import Iterable
from hashlib import sha256

from solders.message import MessageV0
from solders.pubkey import Pubkey
from solders.transaction import VersionedTransaction

from hub.ledger.store.queries import StoredTransaction

_MODULUS = 2**256


def addresses_of(stored: StoredTransaction) -> set[bytes]:
    """Returns all addresses that a stored transaction names, those loaded from lookup tables included."""
    message = VersionedTransaction.from_bytes(stored.raw).message
    addresses = {bytes(key) for key in message.account_keys}
    if isinstance(message, MessageV0) and message.address_table_lookups:
        loaded = json.loads(stored.result)["loadedAddresses"]
        addresses |= {bytes(Pubkey.from_string(address)) for address in (*loaded["writable"], *loaded["readonly"])}
    return addresses


class AddressIndexSum:
    """A sum over index entries that does not depend on their order; each entry is added once."""

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

    __hash__ = None  # type: ignore[assignment] # the sum is mutable
