"""A transaction's error becomes the hub's, with the name that the program gave it."""

from typing import Any

import pytest
from solders.transaction_status import (
    InstructionErrorCustom,
    InstructionErrorFieldless,
    TransactionErrorFieldless,
    TransactionErrorInstructionError,
)

from hub.chain.error_translation import from_transaction_error
from hub.chain.errors import (
    AlreadyProcessedError,
    BlockhashExpiredError,
    ChainRefusedError,
    ChainUnreachableError,
    NodesDisagreeError,
    NotYetFinalError,
    ProgramError,
    TransactionFailedError,
)
from hub.chain.programs import PROGRAM_IDS, idl
from hub.errors import PermanentError, RetryableError

TRADING, ORACLE = (str(PROGRAM_IDS[name]) for name in ("trading", "oracle"))
SETTLED = next(error for error in idl("trading").errors or [] if error.name == "AlreadySettled")


def refused(number: int, *logs: str) -> ProgramError:
    failed = TransactionErrorInstructionError(1, InstructionErrorCustom(number))
    error = from_transaction_error(failed, logs)
    assert isinstance(error, ProgramError) and error.logs == logs and error.number == number
    return error


def failed(address: str, number: int) -> str:
    return f"Program {address} failed: custom program error: {number:#x}"


def test_the_log_names_the_error() -> None:
    said = (
        f"Program log: AnchorError occurred. Error Code: NotOpen. Error Number: {SETTLED.code}. Error Message: Closed."
    )
    error = refused(SETTLED.code, "Program log: x", said, failed(TRADING, SETTLED.code))
    assert (error.program, error.name, error.text) == ("trading", "NotOpen", "Closed")
    assert str(error) == f"trading refused: NotOpen ({SETTLED.code}): Closed"
    other = said.replace(f"Number: {SETTLED.code}", "Number: 1")
    assert refused(SETTLED.code, other, failed(TRADING, SETTLED.code)).name == "AlreadySettled"


def test_or_else_the_idl_of_the_innermost_program_does() -> None:
    error = refused(SETTLED.code, failed(TRADING, SETTLED.code), failed(ORACLE, SETTLED.code))
    assert (error.program, error.name, error.text) == ("trading", "AlreadySettled", SETTLED.msg)
    error = refused(SETTLED.code, failed(ORACLE, 1), failed(TRADING, SETTLED.code))
    assert (error.program, error.name) == ("trading", "AlreadySettled")


def test_an_error_without_a_name_has_its_number() -> None:
    error = refused(1, failed("11111111111111111111111111111111", 1))
    assert (error.program, error.name, error.text) == ("1" * 32, "Custom", "an error without a name")
    error = refused(2_001, failed(TRADING, 2_001))
    assert (error.program, error.name) == ("trading", "Custom")
    assert "constraint" in error.text, "Anchor's own errors have a text"
    assert refused(9_999).program == "a program"


@pytest.mark.parametrize(
    ("error", "kind", "says"),
    [
        (TransactionErrorFieldless.BlockhashNotFound, BlockhashExpiredError, "blockhash is not (or no longer) known"),
        (TransactionErrorFieldless.AlreadyProcessed, AlreadyProcessedError, "already on the chain"),
        (TransactionErrorFieldless.AccountNotFound, TransactionFailedError, "AccountNotFound (the last line)"),
        (
            TransactionErrorInstructionError(3, InstructionErrorFieldless.MissingRequiredSignature),
            TransactionFailedError,
            "failed: instruction 3: ",
        ),
    ],
)
def test_the_runtimes_errors(error: Any, kind: type[Exception], says: str) -> None:
    translated = from_transaction_error(error, ("first", "the last line"))
    assert type(translated) is kind and says in str(translated)
    if isinstance(translated, TransactionFailedError):
        assert translated.logs == ("first", "the last line") and str(translated).endswith("(the last line)")
        assert not str(from_transaction_error(error, ())).endswith(")")


def test_codes_and_what_may_be_tried_again() -> None:
    retryable = (ChainUnreachableError, BlockhashExpiredError, NotYetFinalError, NodesDisagreeError)
    permanent = (AlreadyProcessedError, ChainRefusedError, TransactionFailedError, ProgramError)
    assert all(issubclass(kind, RetryableError) for kind in retryable)
    assert all(issubclass(kind, PermanentError) for kind in permanent)
    assert [kind.code for kind in (*retryable, *permanent)] == [
        "chain_unreachable", "blockhash_expired", "not_yet_final", "nodes_disagree", "already_processed",
        "chain_refused", "transaction_failed", "program_error",
    ]  # fmt: skip
