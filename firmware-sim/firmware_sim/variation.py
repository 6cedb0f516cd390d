"""Seeded variation as a pure function of seed, meter and step: the same in any process, and needs no history."""

from hashlib import blake2b


def digest(seed: int, meter_id: str, purpose: str, step: int = 0) -> bytes:
    """Eight bytes that only depend on the arguments."""
    return blake2b(f"{seed}|{meter_id}|{purpose}|{step}".encode(), digest_size=8).digest()


def between(low: int, high: int, raw: bytes) -> int:
    """An integer in [low, high] from raw bytes."""
    return low + int.from_bytes(raw, "big") * (high - low + 1) // (1 << (8 * len(raw)))
