"""Builds any instruction of the programs by its IDL (anchorpy); the package's other modules fill in the accounts."""

import copyreg
from collections.abc import Mapping, Sequence
from functools import cache
from typing import Any, cast

from anchorpy.program.context import Context
from anchorpy.program.core import Program
from anchorpy.provider import Provider, Wallet
from solana.rpc.async_api import AsyncClient
from solders.instruction import AccountMeta, Instruction
from solders.pubkey import Pubkey

from hub.chain import pdas
from hub.chain.programs import PROGRAM_IDS, idl

SYSTEM_PROGRAM = Pubkey.default()
TOKEN_PROGRAM = Pubkey.from_string("TokenzQdBNbLqP5VEhdkAS6EPFLC1PHnBqCXEpPxuEb")
"""Token-2022."""

# anchorpy copies a struct's fields deeply before it encodes them, and solders' keys do not say how to be copied
copyreg.pickle(Pubkey, lambda key: (Pubkey.from_bytes, (bytes(key),)))


@cache
def program(name: str) -> Program:
    """anchorpy's Program for its instruction builders and types; it never talks to a chain itself."""
    return Program(idl(name), PROGRAM_IDS[name], Provider(cast("AsyncClient", None), Wallet.dummy()))


def build(
    name: str,
    instruction: str,
    args: Sequence[Any] = (),
    accounts: Mapping[str, Pubkey] | None = None,
    remaining: Sequence[AccountMeta] = (),
) -> Instruction:
    """Any instruction of any of the programs.

    Args:
        name: program as in programs.NAMES.
        instruction: snake_case, as in Rust.
        args: in the IDL's order; structs by ``struct``.
        accounts: snake_case name -> address; ``system_program``, ``token_program`` and ``program_data`` are known.
        remaining: accounts after the named ones.
    """
    known = {
        "system_program": SYSTEM_PROGRAM,
        "token_program": TOKEN_PROGRAM,
        "program_data": pdas.program_data(name),
    }
    context = Context(accounts={**known, **(accounts or {})}, remaining_accounts=list(remaining))
    built: Instruction = program(name).instruction[instruction](*args, ctx=context)
    return built


def absent(name: str) -> Pubkey:
    """What stands for an optional account that is not given: the program's own address."""
    return PROGRAM_IDS[name]


def struct(name: str, kind: str, **fields: Any) -> Any:
    """A struct argument of a program, by the IDL's type name and snake_case fields."""
    return program(name).type[kind](**fields)


def variant(name: str, kind: str, choice: str, *values: Any) -> Any:
    """An enum argument of a program: the variant ``choice`` of the type ``kind``, with its unnamed fields."""
    made = getattr(program(name).type[kind], choice)
    return made(values) if values else made()
