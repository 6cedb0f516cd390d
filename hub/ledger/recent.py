"""Recent blockhashes and transaction statuses, as long as a blockhash is valid: 150 block heights."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal

from solders.hash import Hash
from solders.signature import Signature

from hub.ledger.blocks import MAX_BLOCKHASH_AGE, Header, blockhash, height_at, slot_time_ms

Commitment = Literal["processed", "confirmed", "finalized"]


@dataclass
class Status:
    """The status of a transaction."""

    slot: int
    height: int
    """Block height, as blockhashes age by it."""
    error: Any
    """None, or the error in the form of Solana's JSON."""
    commitment: Commitment


class Blockhashes:
    """Every blockhash that a client may still sign with, and the height at which it became valid."""

    def __init__(self, genesis_ms: int) -> None:
        self._genesis_ms = genesis_ms
        self._valid_from: dict[Hash, int] = {}

    def add_span(self, head: Header, last_slot: int) -> None:
        """Adds the blockhashes of a block and of the empty slots after it, ``last_slot`` included."""
        first = max(head.slot, last_slot - MAX_BLOCKHASH_AGE)
        for slot in range(first, last_slot + 1):
            self.at(head, slot)

    def at(self, head: Header, slot: int) -> Hash:
        """Returns the blockhash of a slot that has ``head`` as its last block, and makes it valid."""
        value = Hash(blockhash(head, slot))
        self._valid_from[value] = height_at(self._genesis_ms, slot_time_ms(head, slot))
        return value

    def is_valid(self, value: Hash, height: int) -> bool:
        valid_from = self._valid_from.get(value)
        return valid_from is not None and height - valid_from <= MAX_BLOCKHASH_AGE

    def last_height(self, value: Hash) -> int:
        """Returns the last height at which a known blockhash is valid."""
        return self._valid_from[value] + MAX_BLOCKHASH_AGE

    def forget_before(self, height: int) -> None:
        self._valid_from = {value: valid_from for value, valid_from in self._valid_from.items() if valid_from >= height}


class Statuses:
    """Statuses and message hashes of recent transactions, by signature."""

    def __init__(self) -> None:
        self._by_signature: dict[Signature, Status] = {}
        self._not_final: dict[int, list[Status]] = {}
        self._messages: dict[Hash, Signature] = {}

    def add(self, signature: Signature, message_hash: Hash, status: Status) -> None:
        self._by_signature[signature] = status
        if status.commitment != "finalized":
            self._not_final.setdefault(status.slot, []).append(status)
        self._messages[message_hash] = signature

    def get(self, signature: Signature) -> Status | None:
        return self._by_signature.get(signature)

    def has_message(self, message_hash: Hash) -> bool:
        return message_hash in self._messages

    def forget_before(self, height: int) -> None:
        self._keep(lambda status: status.height >= height)

    def promote(self, slot: int, commitment: Commitment) -> None:
        """Raises the commitment of all transactions of a block."""
        for status in self._not_final.get(slot, ()):
            status.commitment = commitment
        if commitment == "finalized":
            self._not_final.pop(slot, None)

    def drop(self, slot: int) -> None:
        """Forgets the transactions of a block that could not be stored."""
        self._not_final.pop(slot, None)
        self._keep(lambda status: status.slot != slot)

    def _keep(self, condition: Callable[[Status], bool]) -> None:
        kept = {signature: status for signature, status in self._by_signature.items() if condition(status)}
        self._messages = {message: signature for message, signature in self._messages.items() if signature in kept}
        self._by_signature = kept
