"""Builds the programs' instructions by their IDL (anchorpy); accounts that follow from the seeds are filled in here."""

from collections.abc import Mapping, Sequence
from functools import cache
from typing import Any, cast

from anchorpy.program.context import Context
from anchorpy.program.core import Program
from anchorpy.provider import Provider, Wallet
from solana.rpc.async_api import AsyncClient
from solders.instruction import AccountMeta, Instruction
from solders.pubkey import Pubkey

from hub.chain.programs import PROGRAM_IDS, idl

SYSTEM_PROGRAM = Pubkey.default()
TOKEN_PROGRAM = Pubkey.from_string("TokenzQdBNbLqP5VEhdkAS6EPFLC1PHnBqCXEpPxuEb")
"""Token-2022."""


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
        accounts: snake_case name -> address; ``system_program`` and ``token_program`` are known.
        remaining: accounts after the named ones.
    """
    known = {"system_program": SYSTEM_PROGRAM, "token_program": TOKEN_PROGRAM}
    context = Context(accounts={**known, **(accounts or {})}, remaining_accounts=list(remaining))
    built: Instruction = program(name).instruction[instruction](*args, ctx=context)
    return built


def struct(name: str, kind: str, **fields: Any) -> Any:
    """A struct argument of a program, by the IDL's type name and snake_case fields."""
    return program(name).type[kind](**fields)
