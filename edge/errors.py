"""The agent's errors: each class carries the exit code of the command line (sysexits.h) and a code for programs."""


class EdgeError(Exception):
    """Base of the agent's errors; the message says what to do."""

    exit_code = 1
    code = "error"


class PermanentError(EdgeError):
    """The same attempt fails again until somebody changes something."""


class RetryableError(EdgeError):
    """The same attempt may succeed later."""


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
    """The hub refused the request; ``code`` is the one of its problem document (RFC 9457)."""

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
    """Another agent runs in the folder, or an operator has to accept the key first."""

    exit_code = 75
    code = "try_again"


class MeterError(RetryableError):
    """A meter did not answer, or with something else than was asked for."""

    code = "meter"


class MeterTimeoutError(MeterError):
    """The meter did not answer in time."""

    code = "meter_timeout"


class MeterRefusedError(MeterError):
    """The meter answered with a Modbus exception; ``lasting`` when it will answer so again."""

    code = "meter_exception"

    def __init__(self, message: str, *, lasting: bool = False) -> None:
        super().__init__(message)
        self.lasting = lasting


class ProbeError(MeterError):
    """Something answers at the meter's address that is not what the configuration says."""

    code = "probe"


class NettingError(MeterError):
    """The meter counts import and export in one register, which runs backwards: neither can be known from it."""

    code = "netting"


class ImplausibleError(MeterError):
    """A value that can not be true, or that no record can hold: it is not recorded."""

    code = "implausible"


class StorageError(RetryableError):
    """The ledger can not be written now: disk full, read-only, or wrong permissions."""

    code = "storage"
