"""Solana's upgradeable loader: its instructions as bytes, and what its accounts say of a program.

``deployment`` sends them, ``status`` and ``preflight`` read. Layouts: ``UpgradeableLoaderInstruction`` and
``UpgradeableLoaderState`` of the crate solana-loader-v3-interface, both bincode (little endian).
"""

import hashlib
import struct
from dataclasses import dataclass

from solders.account import Account
from solders.instruction import AccountMeta, Instruction
from solders.pubkey import Pubkey
from solders.system_program import ID as SYSTEM_PROGRAM
from solders.system_program import CreateAccountParams, create_account
from solders.sysvar import CLOCK, RENT

from hub.chain.pdas import UPGRADEABLE_LOADER

BUFFER_HEADER, PROGRAM_BYTES, PROGRAM_DATA_HEADER = 37, 36, 45
CHUNK_BYTES = 870
"""Of code in one write: with two signatures and a compute limit it fills a packet but for some bytes."""

_BUFFER, _PROGRAM, _PROGRAM_DATA = 1, 2, 3
_INITIALIZE_BUFFER, _WRITE, _DEPLOY = 0, 1, 2


@dataclass(frozen=True)
class Deployed:
    """What the loader keeps of a program."""

    slot: int
    """When it was deployed or upgraded last."""
    upgrade_authority: Pubkey | None
    """None = it can never be upgraded."""
    code: bytes
    """With the zeros behind it that are room for a longer build."""


def read_deployed(data: bytes) -> Deployed | None:
    """A ProgramData account; None when it is something else. Its first 45 bytes are enough for all but the code."""
    if len(data) < PROGRAM_DATA_HEADER:
        return None
    kind, slot, has_authority = struct.unpack_from("<IQB", data)
    if kind != _PROGRAM_DATA:
        return None
    authority = Pubkey.from_bytes(data[13:PROGRAM_DATA_HEADER]) if has_authority else None
    return Deployed(slot, authority, data[PROGRAM_DATA_HEADER:])


def runs(program: Account | None, program_data: Pubkey) -> bool:
    """Whether a program's account is the loader's, and leads to this ProgramData."""
    return (
        program is not None
        and program.owner == UPGRADEABLE_LOADER
        and program.data == struct.pack("<I", _PROGRAM) + bytes(program_data)
    )


def code_hash(code: bytes, built: bytes) -> str:
    """SHA-256 in hex of deployed code: of as many bytes as the build has when only zeros follow them."""
    if not code[len(built) :].strip(b"\0"):
        return hashlib.sha256(code[: len(built)]).hexdigest()
    return hashlib.sha256(code.rstrip(b"\0")).hexdigest()


def read_buffer(account: Account, authority: Pubkey) -> bytes | None:
    """The code written to a buffer so far; None when the account is no buffer of this authority's."""
    head = struct.pack("<IB", _BUFFER, 1) + bytes(authority)
    if account.owner != UPGRADEABLE_LOADER or account.data[:BUFFER_HEADER] != head:
        return None
    return account.data[BUFFER_HEADER:]


def create_buffer(
    payer: Pubkey, buffer: Pubkey, authority: Pubkey, code_bytes: int, lamports: int
) -> list[Instruction]:
    """An empty buffer for that much code; signed by payer and buffer."""
    size = BUFFER_HEADER + code_bytes
    room = CreateAccountParams(
        from_pubkey=payer, to_pubkey=buffer, lamports=lamports, space=size, owner=UPGRADEABLE_LOADER
    )
    metas = [AccountMeta(buffer, is_signer=False, is_writable=True), _read(authority)]
    return [create_account(room), Instruction(UPGRADEABLE_LOADER, struct.pack("<I", _INITIALIZE_BUFFER), metas)]


def write(buffer: Pubkey, authority: Pubkey, offset: int, part: bytes) -> Instruction:
    """Puts a part of the code into the buffer; signed by its authority."""
    metas = [AccountMeta(buffer, is_signer=False, is_writable=True), _read(authority, signs=True)]
    return Instruction(UPGRADEABLE_LOADER, struct.pack("<IIQ", _WRITE, offset, len(part)) + part, metas)


def deploy(
    payer: Pubkey, program: Pubkey, program_data: Pubkey, buffer: Pubkey, authority: Pubkey, code_bytes: int, rent: int
) -> list[Instruction]:
    """Turns the buffer into the program, and closes it; signed by payer, program and the buffer's authority."""
    room = CreateAccountParams(
        from_pubkey=payer, to_pubkey=program, lamports=rent, space=PROGRAM_BYTES, owner=UPGRADEABLE_LOADER
    )
    metas = [
        AccountMeta(payer, is_signer=True, is_writable=True),
        AccountMeta(program_data, is_signer=False, is_writable=True),
        AccountMeta(program, is_signer=False, is_writable=True),
        AccountMeta(buffer, is_signer=False, is_writable=True),
        _read(RENT),
        _read(CLOCK),
        _read(SYSTEM_PROGRAM),
        _read(authority, signs=True),
    ]
    data = struct.pack("<IQ", _DEPLOY, code_bytes)
    return [create_account(room), Instruction(UPGRADEABLE_LOADER, data, metas)]


def _read(address: Pubkey, *, signs: bool = False) -> AccountMeta:
    return AccountMeta(address, is_signer=signs, is_writable=False)
