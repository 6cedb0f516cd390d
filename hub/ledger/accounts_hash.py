"""Computes a hash over all accounts that is updated by the changes of a block alone: 1,024 lanes of 16 bits.

Every account is expanded to 2,048 bytes (SHAKE128) and the lanes are added modulo 2^16, after Bellare and Micciancio,
"A New Paradigm for Collision-Free Hashing: Incrementality at Reduced Cost" (1997), LtHash.
"""

import hashlib

from solders.account import Account
from solders.pubkey import Pubkey

_BYTES = 2048
_EVEN = int.from_bytes(b"\xff\xff\x00\x00" * (_BYTES // 4), "little")
_ODD = _EVEN << 16
_EVEN_CARRY = int.from_bytes(b"\x00\x00\x01\x00" * (_BYTES // 4), "little")
_ODD_CARRY = _EVEN_CARRY << 16


class AccountsHash:
    """A homomorphic sum over all accounts; ``digest`` is its SHA-256."""

    def __init__(self) -> None:
        self._sum = 0

    def copy(self) -> "AccountsHash":
        other = AccountsHash()
        other._sum = self._sum
        return other

    def add(self, key: Pubkey, account: Account) -> None:
        total, element = self._sum, _element(key, account)
        self._sum = (((total & _EVEN) + (element & _EVEN)) & _EVEN) | (((total & _ODD) + (element & _ODD)) & _ODD)

    def remove(self, key: Pubkey, account: Account) -> None:
        total, element = self._sum, _element(key, account)
        even = ((total & _EVEN) + _EVEN_CARRY - (element & _EVEN)) & _EVEN
        odd = ((total & _ODD) + _ODD_CARRY - (element & _ODD)) & _ODD
        self._sum = even | odd

    def digest(self) -> bytes:
        return hashlib.sha256(self._sum.to_bytes(_BYTES, "little")).digest()


def _element(key: Pubkey, account: Account) -> int:
    content = hashlib.shake_128(b"peerwatt/account/1")
    content.update(bytes(key) + account.lamports.to_bytes(8, "little") + bytes(account.owner))
    content.update(bytes([account.executable]) + account.data)
    return int.from_bytes(content.digest(_BYTES), "little")
