"""Decodes the programs' accounts by their IDL into Python objects; fields have the IDL's names in snake_case."""

from hashlib import sha256
from typing import Any

from construct import SizeofError

from hub.chain.programs import coder
from hub.errors import PermanentError


class AccountMismatchError(PermanentError):
    """An account's data is not of the expected kind."""

    code = "account_mismatch"


def discriminator(kind: str) -> bytes:
    """Returns the first eight bytes of an account of this kind: its Anchor discriminator."""
    return sha256(f"account:{kind}".encode()).digest()[:8]


def field_bytes(program: str, kind: str, field: str, value: Any) -> tuple[int, bytes]:
    """Returns a field's byte offset in an account of this kind, and the value's bytes there: a memcmp filter.

    Raises:
        LookupError: the IDL has no such field, or a field of variable length comes before it.
    """
    layout: Any = coder(program).accounts._accounts_layout[kind]  # noqa: SLF001 - anchorpy has no public access to layouts
    offset = len(discriminator(kind))
    for candidate in layout.subcon.subcon.subcons:
        if candidate.name == field:
            return offset, candidate.build(value)
        try:
            offset += candidate.sizeof()
        except SizeofError as error:
            message = f"{program}.{kind}.{field} has no fixed offset: {candidate.name} before it varies"
            raise LookupError(message) from error
    raise LookupError(f"{program}.{kind} has no field {field}")


def fixed_size(program: str, kind: str) -> int:
    """Returns the size in bytes of an account of this kind, discriminator included.

    Raises:
        LookupError: a field has a variable length.
    """
    layout: Any = coder(program).accounts._accounts_layout[kind]  # noqa: SLF001 - anchorpy has no public access to layouts
    try:
        return len(discriminator(kind)) + sum(int(field.sizeof()) for field in layout.subcon.subcon.subcons)
    except SizeofError as error:
        raise LookupError(f"{program}.{kind} has no fixed size: {error}") from error


def decode(program: str, kind: str, data: bytes) -> Any:
    """Returns the account's fields as attributes: integers as they are, addresses as Pubkey.

    Args:
        program: name as in programs.NAMES.
        kind: the account type's name in the IDL, for example ``IntervalSettlement``.
        data: the account's bytes.

    Raises:
        AccountMismatchError: the data is of another kind of account, or does not follow the IDL.
    """
    if data[:8] != discriminator(kind):
        raise AccountMismatchError(f"The account holds no {program}.{kind}: check the address and the IDL")
    try:
        return coder(program).accounts.decode(data)
    except Exception as error:  # construct raises errors of many classes
        raise AccountMismatchError(f"The account's {program}.{kind} does not follow the IDL: {error}") from error
