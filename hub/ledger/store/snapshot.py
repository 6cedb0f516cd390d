"""Pure snapshot format: the authority's word that the log is checked up to a block, and how much there is up to it.

A start checks a snapshot, the blocks after it and all accounts; `peerwatt-hub ledger verify` checks the log before it.
"""

import struct
from dataclasses import dataclass, field, replace

from solders.keypair import Keypair
from solders.pubkey import Pubkey
from solders.signature import Signature

from hub.ledger.blocks import Header

_TAG = b"peerwatt/snapshot/1"
_LAYOUT = struct.Struct("<32sQ32s32sQQQ")

SNAPSHOT_EVERY = 5000
"""Blocks or transactions between two snapshots: a start reads at most so many, about 0.6 s on two cores."""


@dataclass(frozen=True)
class Tally:
    """How much the log holds up to a block, that one included."""

    blocks: int = 0
    transactions: int = 0
    index_rows: int = 0
    """Entries of the index of addresses."""

    def plus(self, transactions: int, index_rows: int) -> "Tally":
        """With one more block."""
        return Tally(self.blocks + 1, self.transactions + transactions, self.index_rows + index_rows)


@dataclass(frozen=True)
class Snapshot:
    """The state after one block, bound to that block's hash."""

    genesis_hash: bytes
    slot: int
    block_hash: bytes
    accounts_hash: bytes
    tally: Tally

    @classmethod
    def of(cls, genesis_hash: bytes, head: Header, tally: Tally) -> "Snapshot":
        return cls(genesis_hash, head.slot, head.hash, head.accounts_hash, tally)

    def encode(self) -> bytes:
        """The bytes that are signed."""
        tally = self.tally
        return _TAG + _LAYOUT.pack(
            self.genesis_hash,
            self.slot,
            self.block_hash,
            self.accounts_hash,
            tally.blocks,
            tally.transactions,
            tally.index_rows,
        )

    @classmethod
    def decode(cls, data: bytes) -> "Snapshot":
        """Reads a snapshot.

        Raises:
            ValueError: not this format.
        """
        if not data.startswith(_TAG) or len(data) != len(_TAG) + _LAYOUT.size:
            raise ValueError("not a snapshot of this version")
        genesis, slot, block, accounts, *counts = _LAYOUT.unpack_from(data, len(_TAG))
        return cls(genesis, slot, block, accounts, Tally(*counts))


@dataclass(frozen=True)
class SignedSnapshot:
    """A snapshot as it is stored."""

    content: bytes
    signature: bytes

    @classmethod
    def sign(cls, snapshot: Snapshot, authority: Keypair) -> "SignedSnapshot":
        content = snapshot.encode()
        return cls(content, bytes(authority.sign_message(content)))

    def opened(self, authority: Pubkey) -> Snapshot:
        """The snapshot inside.

        Raises:
            ValueError: the authority did not sign it.
        """
        if len(self.signature) != Signature.LENGTH or not Signature.from_bytes(self.signature).verify(
            authority, self.content
        ):
            raise ValueError("its signature is not the authority's")
        return Snapshot.decode(self.content)


@dataclass(frozen=True)
class Progress:
    """The tally of a growing log, and when its next snapshot is due."""

    every: int
    tally: Tally
    last: Tally = field(default_factory=Tally)
    """At the last snapshot."""

    def plus(self, transactions: int, index_rows: int) -> "Progress":
        return replace(self, tally=self.tally.plus(transactions, index_rows))

    def snapshot_made(self) -> "Progress":
        return replace(self, last=self.tally)

    @property
    def due(self) -> bool:
        now, last = self.tally, self.last
        return max(now.blocks - last.blocks, now.transactions - last.transactions) >= self.every
