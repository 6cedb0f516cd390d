"""Translates Solana's transaction errors into the hub's; a custom error gets the name in its program's IDL. Pure."""

import re
from collections.abc import Sequence
from typing import Any

from anchorpy.error import LangErrorMessage
from solders.pubkey import Pubkey
from solders.transaction_status import (
    InstructionErrorCustom,
    TransactionErrorFieldless,
    TransactionErrorInstructionError,
)

from hub.chain.errors import AlreadyProcessedError, BlockhashExpiredError, ProgramError, TransactionFailedError
from hub.chain.programs import PROGRAM_IDS, idl
from hub.errors import HubError

_FAILED = re.compile(r"^Program (\w+) failed: custom program error: (0x[0-9a-f]+)$")
_ANCHOR = re.compile(r"Error Code: (\w+)\. Error Number: (\d+)\. Error Message: (.*?)\.?$")
_NAMES = {address: name for name, address in PROGRAM_IDS.items()}


def from_transaction_error(error: Any, logs: Sequence[str]) -> HubError:
    """Returns the hub's error for a transaction error of a status, a simulation or a preflight."""
    if error == TransactionErrorFieldless.BlockhashNotFound:
        return BlockhashExpiredError("The transaction's blockhash is not (or no longer) known to the chain")
    if error == TransactionErrorFieldless.AlreadyProcessed:
        return AlreadyProcessedError("The transaction is already on the chain: look at its status")
    if isinstance(error, TransactionErrorInstructionError) and isinstance(error.err, InstructionErrorCustom):
        return _program_error(error.err.code, logs)
    return TransactionFailedError(f"The transaction failed: {_describe(error)}{_last_log(logs)}", tuple(logs))


def _program_error(number: int, logs: Sequence[str]) -> ProgramError:
    # the innermost program that failed with this number logs it first
    address = next((match[1] for line in logs if (match := _FAILED.match(line)) and int(match[2], 16) == number), "")
    program = _NAMES.get(Pubkey.from_string(address)) if address else None
    name, text = _from_log(number, logs) or _from_idl(program, number)
    return ProgramError(program or address or "a program", number, name, text, tuple(logs))


def _from_log(number: int, logs: Sequence[str]) -> tuple[str, str] | None:
    matches = (_ANCHOR.search(line) for line in logs)
    return next(((match[1], match[3]) for match in matches if match and int(match[2]) == number), None)


def _from_idl(program: str | None, number: int) -> tuple[str, str]:
    for error in (idl(program).errors or []) if program else []:
        if error.code == number:
            return error.name, error.msg or error.name
    anchor_texts = {int(code): text for code, text in LangErrorMessage.items()}
    return "Custom", anchor_texts.get(number, "an error without a name")


def _describe(error: Any) -> str:
    if isinstance(error, TransactionErrorInstructionError):
        return f"instruction {error.index}: {error.err}"
    return str(error)


def _last_log(logs: Sequence[str]) -> str:
    return f" ({logs[-1]})" if logs else ""
