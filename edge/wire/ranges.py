"""Ranges of frame sequences per boot, in one canonical form: what receipts and heartbeats speak of."""

from collections.abc import Iterable, Mapping, Sequence
from typing import TypeAlias

from edge.wire import codec
from edge.wire.codec import Value, array, integer, octets
from edge.wire.errors import NonCanonicalError

Ranges: TypeAlias = Sequence[tuple[int, int]]
"""First and last sequence of each stretch, both included, rising and apart."""
ByBoot: TypeAlias = Mapping[bytes, Ranges]

MAX_BOOTS, MAX_RANGES = 256, 1024


def ranges_of(sequences: Iterable[int]) -> list[tuple[int, int]]:
    """Sequences in rising order as (first, last) ranges."""
    found: list[tuple[int, int]] = []
    for sequence in sequences:
        if found and sequence == found[-1][1] + 1:
            found[-1] = (found[-1][0], sequence)
        else:
            found.append((sequence, sequence))
    return found


def to_fields(by_boot: ByBoot) -> list[object]:
    """For ``codec.pack``: boots in rising order, each with its ranges."""
    return [[boot, [list(pair) for pair in by_boot[boot]]] for boot in sorted(by_boot)]


def from_field(value: Value, name: str) -> dict[bytes, list[tuple[int, int]]]:
    """Reads what ``to_fields`` wrote, strictly.

    Raises:
        WireError: boots or ranges are not in rising order, overlap or touch, or a field is wrong.
    """
    found: dict[bytes, list[tuple[int, int]]] = {}
    last_boot = b""
    for entry in array(value, name, MAX_BOOTS):
        parts = array(entry, name, 2)
        codec.expect_arity(parts, 2)
        boot = octets(parts[0], "boot_id", 16)
        if boot <= last_boot:
            raise NonCanonicalError(f"{name}: boots are not in rising order")
        found[boot], last_boot = _ranges(parts[1], name), boot
    return found


def _ranges(value: Value, name: str) -> list[tuple[int, int]]:
    found: list[tuple[int, int]] = []
    least = 0
    for entry in array(value, name, MAX_RANGES):
        pair = array(entry, name, 2)
        codec.expect_arity(pair, 2)
        first = integer(pair[0], "first")
        if first < least:
            raise NonCanonicalError(f"{name}: ranges are not in rising order, or touch")
        last = integer(pair[1], "last", first)
        found.append((first, last))
        least = last + 2
    return found
