"""Merkle trees of the shape of RFC 6962 over hashes of 32 bytes; prefixes keep nodes and leaves apart."""

from collections.abc import Sequence
from hashlib import sha256

NODE_PREFIX = b"peerwatt/node/1"
EMPTY_ROOT = sha256(b"peerwatt/empty/1").digest()


def node(left: bytes, right: bytes) -> bytes:
    """Returns the hash above two neighbours."""
    return sha256(NODE_PREFIX + left + right).digest()


def root(leaves: Sequence[bytes]) -> bytes:
    """Returns the root of a tree, which splits at the largest power of two below its size; one leaf is its own root."""
    if not leaves:
        return EMPTY_ROOT
    level = list(leaves)
    while len(level) > 1:
        level = _above(level)
    return level[0]


def path(leaves: Sequence[bytes], index: int) -> list[bytes]:
    """Returns the neighbours on the way from a leaf to the root, bottom up.

    Raises:
        IndexError: there is no such leaf.
    """
    if not 0 <= index < len(leaves):
        raise IndexError(f"there is no leaf {index} of {len(leaves)}")
    neighbours, level = [], list(leaves)
    while len(level) > 1:
        if (neighbour := index ^ 1) < len(level):
            neighbours.append(level[neighbour])
        level, index = _above(level), index // 2
    return neighbours


def _above(level: list[bytes]) -> list[bytes]:
    # The last of an odd number moves up unchanged, which gives the same shape as splitting from the top
    return [node(level[i], level[i + 1]) for i in range(0, len(level) - 1, 2)] + level[len(level) & ~1 :]


def climb(leaf: bytes, index: int, count: int, path: Sequence[bytes]) -> bytes | None:
    """Returns the root that a leaf and its path lead to; None when the path's length does not fit the tree.

    Source: RFC 9162, section 2.1.3.2.
    """
    if not 0 <= index < count:
        return None
    position, last, hashed = index, count - 1, leaf
    for neighbour in path:
        if last == 0:
            return None
        if position & 1 or position == last:
            hashed = node(neighbour, hashed)
            while not position & 1 and position:
                position, last = position >> 1, last >> 1
        else:
            hashed = node(hashed, neighbour)
        position, last = position >> 1, last >> 1
    return hashed if last == 0 else None


def verify(leaf: bytes, index: int, count: int, path: Sequence[bytes], root: bytes) -> bool:
    """Returns whether the leaf is number ``index`` (from 0) of ``count`` under this root."""
    return climb(leaf, index, count, path) == root
