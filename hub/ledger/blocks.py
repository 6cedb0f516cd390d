"""Pure block format: what the authority signs, how blocks link, and the blockhashes of slots without a block.

A block header is fixed-size binary; its SHA-256 is the block's hash and a valid recent blockhash for transactions.
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
"""Length of a slot in which no block is made."""

MAX_BLOCKHASH_AGE = 150
"""Block heights after which a blockhash no longer carries a transaction, as on Solana: a minute."""


@dataclass(frozen=True)
class Header:
    """One block, apart from its transactions."""

    slot: int
    parent_slot: int
    parent_hash: bytes
    time_ms: int
    transaction_count: int
    transactions_hash: bytes
    accounts_hash: bytes

    def encode(self) -> bytes:
        """The bytes that are hashed and signed."""
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
        """Reads a header.

        Raises:
            ValueError: not this format.
        """
        if not data.startswith(_TAG) or len(data) != len(_TAG) + _LAYOUT.size:
            raise ValueError("not a block header of this version")
        return cls(*_LAYOUT.unpack_from(data, len(_TAG)))

    @property
    def hash(self) -> bytes:
        return hashlib.sha256(self.encode()).digest()


def sign(header: Header, authority: Keypair) -> bytes:
    """The authority's Ed25519 signature over the header."""
    return bytes(authority.sign_message(header.encode()))


def fault(header: Header, signature: bytes, parent: Header | None, authority: Pubkey) -> str | None:
    """Why this block can not follow its parent, or None when it does. The genesis block has no parent."""
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
    """Commits to the raw transactions of a block and to their results, in order."""
    total = hashlib.sha256(b"peerwatt/transactions/1")
    for raw, result in entries:
        total.update(hashlib.sha256(raw).digest())
        total.update(hashlib.sha256(result.encode()).digest())
    return total.digest()


def slot_at(head: Header, now_ms: int) -> int:
    """The slot at that moment: time goes on in slots after the last block, never back."""
    return head.slot + max(0, now_ms - head.time_ms) // SLOT_MS


def slot_time_ms(head: Header, slot: int) -> int:
    """When a slot at or after that block began."""
    return head.time_ms + (slot - head.slot) * SLOT_MS


def height_at(genesis_ms: int, time_ms: int) -> int:
    """The block height, which blockhashes age by: it grows with time alone, so that load does not shorten their life.

    Several small blocks may share a height; slots are what numbers them.
    """
    return (time_ms - genesis_ms) // SLOT_MS


def blockhash(head: Header, slot: int) -> bytes:
    """The blockhash of a slot at or after the last block before it."""
    if slot == head.slot:
        return head.hash
    return hashlib.sha256(_TICK_TAG + head.hash + slot.to_bytes(8, "little")).digest()
