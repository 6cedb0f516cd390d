"""What the ledger remembers of the last 150 slots: blockhashes still good, and what became of transactions."""

from dataclasses import dataclass
from typing import Any, Literal

from solders.hash import Hash
from solders.signature import Signature

from hub.ledger.blocks import MAX_BLOCKHASH_AGE, Header, blockhash, height_at, slot_time_ms

Confirmation = Literal["processed", "confirmed", "finalized"]


@dataclass
class Status:
    """Where a transaction stands."""

    slot: int
    height: int
    error: Any
    """None, or the error in the form of Solana's JSON."""
    confirmation: Confirmation


class Blockhashes:
    """Every blockhash that a client may hold and still use, with the height at which it was born."""

    def __init__(self, genesis_ms: int) -> None:
        self._genesis_ms = genesis_ms
        self._born: dict[Hash, int] = {}

    def add_span(self, head: Header, last_slot: int) -> None:
        """Adds a block's hash and those of the empty slots after it, up to and with last_slot."""
        first = max(head.slot, last_slot - MAX_BLOCKHASH_AGE)
        for slot in range(first, last_slot + 1):
            self.at(head, slot)

    def at(self, head: Header, slot: int) -> Hash:
        """The blockhash of a slot at or after the last block before it, good from now on."""
        value = Hash(blockhash(head, slot))
        self._born[value] = height_at(self._genesis_ms, slot_time_ms(head, slot))
        return value

    def is_valid(self, value: Hash, height: int) -> bool:
        born = self._born.get(value)
        return born is not None and height - born <= MAX_BLOCKHASH_AGE

    def last_height(self, value: Hash) -> int:
        """The last height at which a known blockhash is good."""
        return self._born[value] + MAX_BLOCKHASH_AGE

    def forget_before(self, height: int) -> None:
        self._born = {value: born for value, born in self._born.items() if born >= height}


class Statuses:
    """Signatures and message hashes of recent transactions."""

    def __init__(self) -> None:
        self._by_signature: dict[Signature, Status] = {}
        self._unfinal: dict[int, list[Status]] = {}
        self._messages: dict[Hash, Signature] = {}

    def add(self, signature: Signature, message: Hash, status: Status) -> None:
        self._by_signature[signature] = status
        if status.confirmation != "finalized":
            self._unfinal.setdefault(status.slot, []).append(status)
        self._messages[message] = signature

    def get(self, signature: Signature) -> Status | None:
        return self._by_signature.get(signature)

    def has_message(self, message: Hash) -> bool:
        return message in self._messages

    def forget_before(self, height: int) -> None:
        self._messages = {m: s for m, s in self._messages.items() if self._by_signature[s].height >= height}
        self._by_signature = {s: v for s, v in self._by_signature.items() if v.height >= height}

    def raise_to(self, slot: int, confirmation: Confirmation) -> None:
        """All transactions of a block go on to that confirmation."""
        for status in self._unfinal.get(slot, ()):
            status.confirmation = confirmation
        if confirmation == "finalized":
            self._unfinal.pop(slot, None)

    def drop(self, slot: int) -> None:
        """Forgets the transactions of a block that could not be stored."""
        self._unfinal.pop(slot, None)
        self._messages = {m: s for m, s in self._messages.items() if self._by_signature[s].slot != slot}
        self._by_signature = {s: v for s, v in self._by_signature.items() if v.slot != slot}
