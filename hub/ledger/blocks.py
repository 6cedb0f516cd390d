"""Block format: what the authority signs, how blocks link, and the blockhashes of slots without a block; pure.

A header has a fixed size in bytes. Its SHA-256 is the block's hash, and a recent blockhash for transactions.
"""

import hashlib
import struct
from collections.abc import Iterable
from dataclasses import dataclass

from solders.keypair import Keypair
from solders.pubkey import Pubkey
from solders.signature import Signature

_TAG = b"peerwatt/block/1"
_LAYOUT = struct.Struct("<QQ32sQI32s32s")
_TICK_TAG = b"peerwatt/tick/1"

SLOT_MS = 400
"""Length of a slot without a block."""

MAX_BLOCKHASH_AGE = 150
"""Block heights for which a blockhash is valid, as on Solana: a minute."""


@dataclass(frozen=True)
class Header:
    """The header of one block."""

    slot: int
    parent_slot: int
    parent_hash: bytes
    time_ms: int
    transaction_count: int
    transactions_hash: bytes
    accounts_hash: bytes

    def encode(self) -> bytes:
        """Returns the bytes that are hashed and signed."""
        return _TAG + _LAYOUT.pack(
            self.slot,
            self.parent_slot,
            self.parent_hash,
            self.time_ms,
            self.transaction_count,
            self.transactions_hash,
            self.accounts_hash,
        )

    @classmethod
    def decode(cls, data: bytes) -> "Header":
        """Reads what ``encode`` wrote.

        Raises:
            ValueError: the bytes have another format.
        """
        if not data.startswith(_TAG) or len(data) != len(_TAG) + _LAYOUT.size:
            raise ValueError("not a block header of this version")
        return cls(*_LAYOUT.unpack_from(data, len(_TAG)))

    @property
    def hash(self) -> bytes:
        return hashlib.sha256(self.encode()).digest()


def sign(header: Header, authority: Keypair) -> bytes:
    """Returns the authority's Ed25519 signature over the header, 64 bytes."""
    return bytes(authority.sign_message(header.encode()))


def fault(header: Header, signature: bytes, parent: Header | None, authority: Pubkey) -> str | None:
    """Returns why this block can not follow its parent, or None when it can. The genesis block has no parent."""
    if not Signature.from_bytes(signature).verify(authority, header.encode()):
        return "its signature is not the authority's"
    if parent is None:
        return None if header.slot == 0 and header.parent_hash == bytes(32) else "the chain does not begin with it"
    if header.parent_slot != parent.slot or header.parent_hash != parent.hash:
        return f"it does not follow block {parent.slot}"
    if header.slot <= parent.slot or header.time_ms < parent.time_ms:
        return f"it is older than block {parent.slot}"
    return None


def transactions_hash(entries: Iterable[tuple[bytes, str]]) -> bytes:
    """Returns a hash over the raw transactions of a block and their results, in order."""
    digest = hashlib.sha256(b"peerwatt/transactions/1")
    for raw, result in entries:
        digest.update(hashlib.sha256(raw).digest())
        digest.update(hashlib.sha256(result.encode()).digest())
    return digest.digest()


def slot_at(head: Header, now_ms: int) -> int:
    """Returns the slot at a time in Unix milliseconds; after the last block slots count on by time, and never back."""
    return head.slot + max(0, now_ms - head.time_ms) // SLOT_MS


def slot_time_ms(head: Header, slot: int) -> int:
    """Returns when a slot at or after that block began, in Unix milliseconds."""
    return head.time_ms + (slot - head.slot) * SLOT_MS


def height_at(genesis_ms: int, time_ms: int) -> int:
    """Returns the block height at a time. It grows with time alone, so load does not shorten a blockhash's validity.

    Several small blocks may share a height; the slot is unique.
    """
    return (time_ms - genesis_ms) // SLOT_MS


def blockhash(head: Header, slot: int) -> bytes:
    """Returns the blockhash of a slot that has ``head`` as its last block."""
    if slot == head.slot:
        return head.hash
    return hashlib.sha256(_TICK_TAG + head.hash + slot.to_bytes(8, "little")).digest()
