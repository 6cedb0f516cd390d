"""Lines of an interval as the trading program reads and hashes them, with roots by the definition of RFC 6962."""

import hashlib
import struct
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from solders.pubkey import Pubkey

from support.programs.svm import program_type


@dataclass(frozen=True)
class ChainLine:
    """One participant's line: gross Wh and micros, charges included in the debit."""

    wallet: Pubkey
    sold_wh: int = 0
    bought_wh: int = 0
    credit_micros: int = 0
    debit_micros: int = 0

    @property
    def pays(self) -> bool:
        """Whether the participant pays on balance."""
        return self.debit_micros > self.credit_micros

    def leaf(self, start: int, index: int) -> bytes:
        """The line's leaf, as number `index` of its interval."""
        numbers = struct.pack("<QQQQ", self.sold_wh, self.bought_wh, self.credit_micros, self.debit_micros)
        text = b"peerwatt/line/1" + struct.pack("<qI", start, index) + bytes(self.wallet) + numbers
        return hashlib.sha256(text).digest()

    def argument(self) -> Any:
        """As `settle` takes it."""
        return program_type("trading", "Line")(
            sold_wh=self.sold_wh,
            bought_wh=self.bought_wh,
            credit_micros=self.credit_micros,
            debit_micros=self.debit_micros,
        )


def payers_first(lines: Sequence[ChainLine]) -> list[ChainLine]:
    """The order that settlement demands."""
    return sorted(lines, key=lambda line: not line.pays)


def lines_root(lines: Sequence[ChainLine], start: int) -> bytes:
    """The Merkle root over the lines in this order, by the definition of RFC 6962."""
    return _root([line.leaf(start, index) for index, line in enumerate(lines)])


def _root(leaves: list[bytes]) -> bytes:
    if not leaves:
        return hashlib.sha256(b"peerwatt/empty/1").digest()
    if len(leaves) == 1:
        return leaves[0]
    split = 1 << (len(leaves) - 1).bit_length() - 1
    return hashlib.sha256(b"peerwatt/node/1" + _root(leaves[:split]) + _root(leaves[split:])).digest()


def range_proof(leaves: list[bytes], first: int, end: int) -> list[bytes]:
    """The roots of the largest subtrees without a leaf of first..end, from left to right."""
    if end <= 0 or first >= len(leaves):
        return [_root(leaves)]
    if len(leaves) == 1:
        return []
    split = 1 << (len(leaves) - 1).bit_length() - 1
    return range_proof(leaves[:split], first, min(end, split)) + range_proof(
        leaves[split:], max(first - split, 0), end - split
    )


def changed(lines: Sequence[ChainLine], index: int, **changes: Any) -> list[ChainLine]:
    """The lines with one of them changed."""
    return [replace(line, **changes) if place == index else line for place, line in enumerate(lines)]
