"""What goes wrong in the agent: every leaf class carries the exit code that the command line ends with."""


class EdgeError(Exception):
    """Base of the agent's errors; the message says what to do."""

    exit_code = 1
    code = "error"


class PermanentError(EdgeError):
    """Trying the same again gives the same."""


class RetryableError(EdgeError):
    """May pass by itself."""


class ConfigError(PermanentError):
    """A setting, profile or file is wrong."""

    exit_code = 78
    code = "config"


class InternalError(EdgeError):
    """A fault of the agent itself."""

    code = "internal"


class NotEnrolledError(PermanentError):
    """The gateway has no identity yet."""

    exit_code = 78
    code = "not_enrolled"


class KeyFileError(PermanentError):
    """A key can not be read, or others can read it."""

    exit_code = 77
    code = "key_unreadable"


class RefusedError(PermanentError):
    """The hub understood and said no; ``code`` is the hub's."""

    def __init__(self, message: str, code: str) -> None:
        super().__init__(message)
        self.code = code


class VerificationError(PermanentError):
    """A chain or proof does not hold."""

    code = "verification"


class HubUnreachableError(RetryableError):
    """No connection to the hub."""

    exit_code = 69
    code = "hub_unreachable"


class TryAgainError(RetryableError):
    """Not now: another agent runs, or an operator has to accept first."""

    exit_code = 75
    code = "try_again"


class MeterError(RetryableError):
    """A meter did not answer, or not sensibly."""

    code = "meter"


class MeterTimeoutError(MeterError):
    """No answer in time."""

    code = "meter_timeout"


class MeterRefusedError(MeterError):
    """The meter answered with an exception."""

    code = "meter_exception"


class ImplausibleError(MeterError):
    """The answer can not be true."""

    code = "implausible"


class StorageError(RetryableError):
    """The ledger can not be written now: disk full, read-only, or wrong permissions."""

    code = "storage"
