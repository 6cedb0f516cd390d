"""Variation as a pure function of seed, meter and step: the same in every process, and without a history."""

from hashlib import blake2b


def digest(seed: int, meter_id: str, purpose: str, step: int = 0) -> bytes:
    """Draws eight bytes that depend on the arguments only."""
    return blake2b(f"{seed}|{meter_id}|{purpose}|{step}".encode(), digest_size=8).digest()


def between(low: int, high: int, raw: bytes) -> int:
    """Scales raw bytes to an integer from ``low`` to ``high``, both included."""
    return low + int.from_bytes(raw, "big") * (high - low + 1) // (1 << (8 * len(raw)))
