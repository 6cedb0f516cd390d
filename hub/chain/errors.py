"""The errors of calls to the chain, retryable and permanent."""

from hub.errors import PermanentError, RetryableError


class ChainUnreachableError(RetryableError):
    """The RPC node did not answer, or answered that it can not serve now."""

    code = "chain_unreachable"


class BlockhashExpiredError(RetryableError):
    """The transaction's blockhash is too old, so that it can never land: signing it anew is safe."""

    code = "blockhash_expired"


class NotYetFinalError(RetryableError):
    """The wait timed out, and the transaction is neither final nor expired: ask again, do not sign anew."""

    code = "not_yet_final"


class NodesDisagreeError(RetryableError):
    """The RPC nodes give different answers, and no quorum agrees: nothing is closed, and they are asked again."""

    code = "nodes_disagree"


class AlreadyProcessedError(PermanentError):
    """This very transaction is already on the chain: look at its status."""

    code = "already_processed"


class ChainRefusedError(PermanentError):
    """The RPC node refused the request itself."""

    code = "chain_refused"


class TransactionFailedError(PermanentError):
    """The runtime refused the transaction."""

    code = "transaction_failed"

    def __init__(self, message: str, logs: tuple[str, ...] = ()) -> None:
        super().__init__(message)
        self.logs = logs


class ProgramError(TransactionFailedError):
    """A program refused an instruction, by the name that its IDL gives the error."""

    code = "program_error"

    def __init__(self, program: str, number: int, name: str, text: str, logs: tuple[str, ...] = ()) -> None:
        super().__init__(f"{program} refused: {name} ({number}): {text}", logs)
        self.program = program
        """The program's name as in programs.NAMES, or its address."""
        self.number = number
        self.name = name
        """The error's name in the IDL, for example ``AlreadySettled``; ``Custom`` when the IDL has no such number."""
        self.text = text
