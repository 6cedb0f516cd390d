"""Errors of the embedded ledger, at start, while it writes and when a log is verified; each says what to do."""

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


class ClockJumpedError(RetryableError):
    """The machine's clock was set while the ledger ran; no block is dated until it is right again."""

    code = "ledger_clock_astray"


class WriteRefusedError(RetryableError):
    """The disk (or the ledger's own size limit) is full; nothing of the refused block was kept."""

    code = "ledger_write_refused"
