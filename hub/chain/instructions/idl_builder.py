"""Builds any instruction of the programs by its IDL (anchorpy); the modules beside it fill in the accounts."""

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

# anchorpy deep-copies a struct's fields before it encodes them, and solders' keys do not support it by themselves
copyreg.pickle(Pubkey, lambda key: (Pubkey.from_bytes, (bytes(key),)))


@cache
def program(name: str) -> Program:
    """Returns anchorpy's Program, for its instruction builders and types; it never connects to a chain."""
    return Program(idl(name), PROGRAM_IDS[name], Provider(cast("AsyncClient", None), Wallet.dummy()))


def build(
    name: str,
    instruction: str,
    args: Sequence[Any] = (),
    accounts: Mapping[str, Pubkey] | None = None,
    remaining: Sequence[AccountMeta] = (),
) -> Instruction:
    """Builds an instruction of a program.

    Args:
        name: the program's name as in programs.NAMES.
        instruction: the instruction's name in snake_case, as in Rust.
        args: the arguments in the IDL's order; structs by ``struct``, enums by ``variant``.
        accounts: addresses by the accounts' names in snake_case; ``system_program``, ``token_program`` and
            ``program_data`` need not be given.
        remaining: the accounts after the named ones.
    """
    defaults = {
        "system_program": SYSTEM_PROGRAM,
        "token_program": TOKEN_PROGRAM,
        "program_data": pdas.program_data(name),
    }
    context = Context(accounts={**defaults, **(accounts or {})}, remaining_accounts=list(remaining))
    built: Instruction = program(name).instruction[instruction](*args, ctx=context)
    return Instruction(
        built.program_id, built.data, [_without_signature_if_absent(meta, name) for meta in built.accounts]
    )


def _without_signature_if_absent(meta: AccountMeta, name: str) -> AccountMeta:
    return AccountMeta(meta.pubkey, meta.is_signer and meta.pubkey != absent(name), meta.is_writable)


def absent(name: str) -> Pubkey:
    """Returns the address that stands for an optional account that is not given: the program's own (Anchor's rule)."""
    return PROGRAM_IDS[name]


def struct(name: str, kind: str, **fields: Any) -> Any:
    """Builds a struct argument by the IDL's type name and its fields in snake_case."""
    return program(name).type[kind](**fields)


def variant(name: str, kind: str, variant_name: str, *values: Any) -> Any:
    """Builds an enum argument: a variant of the IDL's type ``kind``, with its unnamed fields."""
    variant_type = getattr(program(name).type[kind], variant_name)
    return variant_type(values) if values else variant_type()
