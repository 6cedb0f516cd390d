"""What the embedded ledger refuses at start or while it writes; each message says what to do."""

from hub.errors import ConfigError, PermanentError, RetryableError


class LedgerError(ConfigError):
    """The ledger can not start on this folder as it is."""

    code = "ledger"


class LedgerDamagedError(LedgerError):
    """A stored block or account is not the one that the authority signed."""

    code = "ledger_damaged"


class LogRefusedError(PermanentError):
    """Verification found a log that is not what the authority or an auditor signed."""

    code = "ledger_log_refused"


class LedgerVersionError(LedgerError):
    """The state folder was written by another version of the ledger."""

    code = "ledger_version"


class LedgerInUseError(LedgerError):
    """Another process runs on the state folder or listens on the port."""

    code = "ledger_in_use"


class LedgerClockError(LedgerError):
    """The machine's clock is too far from the last block to date another one."""

    code = "ledger_clock"


class ClockAstrayError(RetryableError):
    """The machine's clock was set while the ledger ran; nothing is dated until that is mended."""

    code = "ledger_clock_astray"


class WriteRefusedError(RetryableError):
    """The disk (or the ledger's own size limit) is full; nothing of the refused block was kept."""

    code = "ledger_write_refused"
