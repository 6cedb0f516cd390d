"""Single fields of accounts, written past the programs: states that no transaction can lead to in a test's time."""

from typing import Any

from solders.account import Account
from solders.pubkey import Pubkey

from hub.chain.accounts import field_bytes
from support.programs.svm import Chain


def put_field(chain: Chain, program: str, kind: str, address: Pubkey, name: str, value: Any) -> None:
    """Writes a field of an account of this kind; nothing before it may be of variable length."""
    stored = chain.svm.get_account(address)
    assert stored is not None
    offset, written = field_bytes(program, kind, name, value)
    data = bytearray(stored.data)
    data[offset : offset + len(written)] = written
    chain.svm.set_account(address, Account(stored.lamports, bytes(data), stored.owner))
