"""Ranges of frame sequences by boot id, in one canonical form: part of receipts and heartbeats."""

from collections.abc import Iterable, Mapping, Sequence
from typing import TypeAlias

from edge.wire import codec
from edge.wire.codec import Value, array, integer, octets
from edge.wire.errors import NonCanonicalError

Ranges: TypeAlias = Sequence[tuple[int, int]]
"""(first, last) sequences, both included; ranges rise, and do not touch."""
ByBoot: TypeAlias = Mapping[bytes, Ranges]
"""By boot id (16 bytes)."""

MAX_BOOTS, MAX_RANGES = 256, 1024


def ranges_of(sequences: Iterable[int]) -> list[tuple[int, int]]:
    """Joins sequences, given in rising order, to (first, last) ranges."""
    ranges: list[tuple[int, int]] = []
    for sequence in sequences:
        if ranges and sequence == ranges[-1][1] + 1:
            ranges[-1] = (ranges[-1][0], sequence)
        else:
            ranges.append((sequence, sequence))
    return ranges


def to_fields(by_boot: ByBoot) -> list[object]:
    """Returns what ``codec.pack`` encodes: boots in rising order, each with its ranges."""
    return [[boot, [list(pair) for pair in by_boot[boot]]] for boot in sorted(by_boot)]


def from_field(value: Value, name: str) -> dict[bytes, list[tuple[int, int]]]:
    """Reads what ``to_fields`` returned, strictly.

    Raises:
        WireError: boots or ranges are not in rising order, overlap or touch, or a field is wrong.
    """
    by_boot: dict[bytes, list[tuple[int, int]]] = {}
    last_boot = b""
    for entry in array(value, name, MAX_BOOTS):
        parts = array(entry, name, 2)
        codec.expect_arity(parts, 2)
        boot = octets(parts[0], "boot_id", 16)
        if boot <= last_boot:
            raise NonCanonicalError(f"{name}: boots are not in rising order")
        by_boot[boot], last_boot = _ranges(parts[1], name), boot
    return by_boot


def _ranges(value: Value, name: str) -> list[tuple[int, int]]:
    ranges: list[tuple[int, int]] = []
    least = 0
    for entry in array(value, name, MAX_RANGES):
        pair = array(entry, name, 2)
        codec.expect_arity(pair, 2)
        first = integer(pair[0], "first")
        if first < least:
            raise NonCanonicalError(f"{name}: ranges are not in rising order, or touch")
        last = integer(pair[1], "last", first)
        ranges.append((first, last))
        least = last + 2
    return ranges
