"""Solana's upgradeable loader: builds its instructions, and decodes its accounts.

``deployment`` sends the instructions; ``status`` and ``settlement.preflight`` read the accounts. Layouts:
``UpgradeableLoaderInstruction`` and ``UpgradeableLoaderState`` of the crate solana-loader-v3-interface,
both bincode (little endian).
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
"""Bytes of code in one write; with two signatures and a compute limit they nearly fill a packet."""

_BUFFER, _PROGRAM, _PROGRAM_DATA = 1, 2, 3
_INITIALIZE_BUFFER, _WRITE, _DEPLOY = 0, 1, 2


@dataclass(frozen=True)
class ProgramData:
    """A program's ProgramData account: when it was deployed, by whom it can be upgraded, and its code."""

    slot: int
    """The slot of the last deployment or upgrade."""
    upgrade_authority: Pubkey | None
    """None when nobody can upgrade it any more."""
    code: bytes
    """Padded with zeros: room for a longer build."""


def decode_program_data(data: bytes) -> ProgramData | None:
    """Returns the ProgramData account; None when it is another. 45 bytes are enough for all but the code."""
    if len(data) < PROGRAM_DATA_HEADER:
        return None
    kind, slot, has_authority = struct.unpack_from("<IQB", data)
    if kind != _PROGRAM_DATA:
        return None
    authority = Pubkey.from_bytes(data[13:PROGRAM_DATA_HEADER]) if has_authority else None
    return ProgramData(slot, authority, data[PROGRAM_DATA_HEADER:])


def points_to(program: Account | None, program_data: Pubkey) -> bool:
    """Whether a program's account belongs to the loader and names this ProgramData account."""
    return (
        program is not None
        and program.owner == UPGRADEABLE_LOADER
        and program.data == struct.pack("<I", _PROGRAM) + bytes(program_data)
    )


def code_hash(code: bytes, build: bytes) -> str:
    """Returns the SHA-256 in hex of deployed code without its padding of zeros behind the build's length."""
    if not code[len(build) :].strip(b"\0"):
        return hashlib.sha256(code[: len(build)]).hexdigest()
    return hashlib.sha256(code.rstrip(b"\0")).hexdigest()


def read_buffer(account: Account, authority: Pubkey) -> bytes | None:
    """Returns the code written to a buffer so far; None when the account is no buffer of this authority."""
    header = struct.pack("<IB", _BUFFER, 1) + bytes(authority)
    if account.owner != UPGRADEABLE_LOADER or account.data[:BUFFER_HEADER] != header:
        return None
    return account.data[BUFFER_HEADER:]


def create_buffer(
    payer: Pubkey, buffer: Pubkey, authority: Pubkey, code_bytes: int, lamports: int
) -> list[Instruction]:
    """Creates an empty buffer for that much code; signed by payer and buffer."""
    size = BUFFER_HEADER + code_bytes
    params = CreateAccountParams(
        from_pubkey=payer, to_pubkey=buffer, lamports=lamports, space=size, owner=UPGRADEABLE_LOADER
    )
    metas = [AccountMeta(buffer, is_signer=False, is_writable=True), _readonly(authority)]
    return [create_account(params), Instruction(UPGRADEABLE_LOADER, struct.pack("<I", _INITIALIZE_BUFFER), metas)]


def write(buffer: Pubkey, authority: Pubkey, offset: int, chunk: bytes) -> Instruction:
    """Writes a chunk of the code into the buffer; signed by its authority."""
    metas = [AccountMeta(buffer, is_signer=False, is_writable=True), _readonly(authority, signs=True)]
    return Instruction(UPGRADEABLE_LOADER, struct.pack("<IIQ", _WRITE, offset, len(chunk)) + chunk, metas)


def deploy(
    payer: Pubkey,
    program: Pubkey,
    program_data: Pubkey,
    buffer: Pubkey,
    authority: Pubkey,
    code_bytes: int,
    rent_lamports: int,
) -> list[Instruction]:
    """Deploys the buffer's code as the program, and closes the buffer; signed by payer, program and authority."""
    params = CreateAccountParams(
        from_pubkey=payer, to_pubkey=program, lamports=rent_lamports, space=PROGRAM_BYTES, owner=UPGRADEABLE_LOADER
    )
    metas = [
        AccountMeta(payer, is_signer=True, is_writable=True),
        AccountMeta(program_data, is_signer=False, is_writable=True),
        AccountMeta(program, is_signer=False, is_writable=True),
        AccountMeta(buffer, is_signer=False, is_writable=True),
        _readonly(RENT),
        _readonly(CLOCK),
        _readonly(SYSTEM_PROGRAM),
        _readonly(authority, signs=True),
    ]
    data = struct.pack("<IQ", _DEPLOY, code_bytes)
    return [create_account(params), Instruction(UPGRADEABLE_LOADER, data, metas)]


def _readonly(address: Pubkey, *, signs: bool = False) -> AccountMeta:
    return AccountMeta(address, is_signer=signs, is_writable=False)
