"""What can go wrong between the hub and the chain, permanent and retryable apart."""

from hub.errors import PermanentError, RetryableError


class ChainUnreachableError(RetryableError):
    """The RPC node did not answer, or answered that it can not serve now."""

    code = "chain_unreachable"


class BlockhashExpiredError(RetryableError):
    """The transaction's blockhash is too old; it can never land, so signing it anew is safe."""

    code = "blockhash_expired"


class NotYetFinalError(RetryableError):
    """The time to wait is over and the transaction is neither final nor expired; ask again, do not sign anew."""

    code = "not_yet_final"


class NodesDisagreeError(RetryableError):
    """The RPC nodes tell different things, and no quorum one; nothing is closed by it, and it is asked again."""

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
        """Name as in programs.NAMES, or the program's address."""
        self.number = number
        self.name = name
        """As in the IDL, for example ``AlreadySettled``; ``Custom`` when no IDL knows the number."""
        self.text = text
