"""Decodes the programs' accounts by their IDL into plain Python objects with the IDL's field names in snake_case."""

from hashlib import sha256
from typing import Any

from construct import SizeofError

from hub.chain.programs import coder
from hub.errors import PermanentError


class AccountMismatchError(PermanentError):
    """An account's data is not of the kind that was asked for."""

    code = "account_mismatch"


def discriminator(kind: str) -> bytes:
    """The eight bytes that begin an account of this kind."""
    return sha256(f"account:{kind}".encode()).digest()[:8]


def field_bytes(program: str, kind: str, field: str, value: Any) -> tuple[int, bytes]:
    """Where an account of this kind keeps a field, and the value as it stands there: what a memcmp filter wants.

    Raises:
        LookupError: the IDL has no such field, or one of variable length stands before it.
    """
    layout: Any = coder(program).accounts._accounts_layout[kind]  # noqa: SLF001 - anchorpy has no other door
    offset = len(discriminator(kind))
    for part in layout.subcon.subcon.subcons:
        if part.name == field:
            return offset, part.build(value)
        try:
            offset += part.sizeof()
        except SizeofError as error:
            raise LookupError(f"{program}.{kind}.{field} has no fixed place: {part.name} before it varies") from error
    raise LookupError(f"{program}.{kind} has no field {field}")


def fixed_bytes(program: str, kind: str) -> int:
    """The size of an account of this kind whose fields all have a fixed length, discriminator included.

    Raises:
        LookupError: a field varies.
    """
    layout: Any = coder(program).accounts._accounts_layout[kind]  # noqa: SLF001 - anchorpy has no other door
    try:
        return len(discriminator(kind)) + sum(int(part.sizeof()) for part in layout.subcon.subcon.subcons)
    except SizeofError as error:
        raise LookupError(f"{program}.{kind} has no fixed size: {error}") from error


def decode(program: str, kind: str, data: bytes) -> Any:
    """The account's fields as attributes, integers as they are, addresses as Pubkey.

    Args:
        program: name as in programs.NAMES.
        kind: the account's name in the IDL, for example ``IntervalSettlement``.
        data: the account's bytes.

    Raises:
        AccountMismatchError: another kind of account, or an unknown layout.
    """
    if data[:8] != discriminator(kind):
        raise AccountMismatchError(f"The account holds no {program}.{kind}: check the address and the IDL")
    try:
        return coder(program).accounts.decode(data)
    except Exception as error:  # construct raises many kinds
        raise AccountMismatchError(f"The account's {program}.{kind} does not follow the IDL: {error}") from error
