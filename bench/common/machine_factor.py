"""How fast one core of this machine is: a fixed mix of what the system spends its time on, over a constant.

Factor 1 is the machine on which README's figures of November 26 were measured, as near as measuring again on others can
tell; 2 is one that takes twice as long. A figure at factor 1 is the measured one divided by the factor (a time) or
multiplied by it (a rate): right as far as the figure depends on the processor alone.
"""

import hashlib
import random
import statistics
import time
from collections.abc import Callable

import msgpack
from nacl.signing import SigningKey

REFERENCE_S = 0.1
"""Seconds of the mix at factor 1. Where it took 0.24 s, ingest took 2.4 and the auction 2.3 times as long as then."""

BLOCKS, SIGNATURES, RECORDS, NUMBERS = 60_000, 700, 2_500, 40_000


def mix_s() -> float:
    """Runs the mix once; returns its seconds of wall time."""
    parts: tuple[Callable[[], None], ...] = (_hash, _sign, _pack, _sort)
    begun = time.perf_counter()
    for part in parts:
        part()
    return time.perf_counter() - begun


def machine_factor(runs: int = 5) -> float:
    """Returns the median of ``runs`` mixes over the constant."""
    return round(statistics.median(mix_s() for _ in range(runs)) / REFERENCE_S, 2)


def _hash() -> None:
    """SHA-256 of blocks of a frame's leaf size, each with the hash before it."""
    digest = b""
    for _ in range(BLOCKS):
        digest = hashlib.sha256(digest + bytes(100)).digest()


def _sign() -> None:
    """Ed25519: signs and verifies."""
    key = SigningKey(bytes(32))
    for number in range(SIGNATURES):
        signed = key.sign(number.to_bytes(100, "big"))
        key.verify_key.verify(signed)


def _pack() -> None:
    """MessagePack: packs and unpacks a frame's worth of readings."""
    rows = [[number, 1_000_000 + number, 50_000 - number, b"\x01" * 16, "METER_001"] for number in range(60)]
    for _ in range(RECORDS):
        msgpack.unpackb(msgpack.packb(rows))


def _sort() -> None:
    """Sorts orders by price and number, as the auction does."""
    rng = random.Random(7)  # noqa: S311 - the same numbers in every run
    orders = [(rng.randint(2200, 5000), number) for number in range(NUMBERS)]
    orders.sort()
