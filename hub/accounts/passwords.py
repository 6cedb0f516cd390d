"""Passwords as argon2id hashes, made and checked in threads, few at a time: each takes tens of MiB."""

import asyncio

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from hub.errors import PermanentError

MIN_LENGTH = 10
_hasher = PasswordHasher(time_cost=3, memory_cost=32 * 1024, parallelism=1)
_AT_ONCE = 2
_gates: dict[int, asyncio.Semaphore] = {}


class WeakPasswordError(PermanentError):
    """A new password that is too short."""

    code = "password_weak"


async def hash_password(password: str) -> str:
    """The argon2id hash (PHC string) of a new password.

    Raises:
        WeakPasswordError: it has fewer than ten characters.
    """
    if len(password) < MIN_LENGTH:
        raise WeakPasswordError(f"The password is too short: use at least {MIN_LENGTH} characters")
    async with _gate():
        return await asyncio.to_thread(_hasher.hash, password)


async def matches(stored: str | None, password: str) -> bool:
    """Whether the password is the stored one; takes as long when there is none."""
    async with _gate():
        return await asyncio.to_thread(_matches, stored or _nobody(), password) and stored is not None


def outdated(stored: str) -> bool:
    """Whether the hash was made with weaker parameters than today's."""
    return _hasher.check_needs_rehash(stored)


def _matches(stored: str, password: str) -> bool:
    try:
        return _hasher.verify(stored, password)
    except (VerificationError, InvalidHashError):
        return False


_nobodys: list[str] = []


def _nobody() -> str:
    if not _nobodys:
        _nobodys.append(_hasher.hash("nobody has this password"))
    return _nobodys[0]


def _gate() -> asyncio.Semaphore:
    loop = id(asyncio.get_running_loop())
    if loop not in _gates:
        _gates.clear()
        _gates[loop] = asyncio.Semaphore(_AT_ONCE)
    return _gates[loop]
