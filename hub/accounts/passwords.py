"""Hashes and checks passwords with argon2id, in threads and two at a time, as each needs tens of MiB."""

import asyncio

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from hub.errors import PermanentError

MIN_LENGTH = 10
_hasher = PasswordHasher(time_cost=3, memory_cost=32 * 1024, parallelism=1)
_MAX_CONCURRENT = 2
_semaphores: dict[int, asyncio.Semaphore] = {}


class WeakPasswordError(PermanentError):
    """A new password is too short."""

    code = "password_weak"


async def hash_password(password: str) -> str:
    """Returns the argon2id hash (PHC string) of a new password.

    Raises:
        WeakPasswordError: the password has fewer than ten characters.
    """
    if len(password) < MIN_LENGTH:
        raise WeakPasswordError(f"The password is too short: use at least {MIN_LENGTH} characters")
    async with _semaphore():
        return await asyncio.to_thread(_hasher.hash, password)


async def matches(stored_hash: str | None, password: str) -> bool:
    """Returns whether the password matches the stored hash; without a hash it takes as long."""
    async with _semaphore():
        return await asyncio.to_thread(_matches, stored_hash or _dummy_hash(), password) and stored_hash is not None


def outdated(stored_hash: str) -> bool:
    """Returns whether the hash was made with weaker parameters than today's."""
    return _hasher.check_needs_rehash(stored_hash)


def _matches(stored_hash: str, password: str) -> bool:
    try:
        return _hasher.verify(stored_hash, password)
    except (VerificationError, InvalidHashError):
        return False


_dummy_hashes: list[str] = []


def _dummy_hash() -> str:
    if not _dummy_hashes:
        _dummy_hashes.append(_hasher.hash("nobody has this password"))
    return _dummy_hashes[0]


def _semaphore() -> asyncio.Semaphore:
    loop = id(asyncio.get_running_loop())
    if loop not in _semaphores:
        _semaphores.clear()
        _semaphores[loop] = asyncio.Semaphore(_MAX_CONCURRENT)
    return _semaphores[loop]
