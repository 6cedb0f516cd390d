"""The simulator's errors: each message says what to do, each class carries the exit code of the process."""


class SimError(Exception):
    """Something keeps the simulator from running."""

    exit_code = 1


class ConfigError(SimError):
    """A setting or an input file that somebody must mend first (exit code 78, ``EX_CONFIG``)."""

    exit_code = 78


class ReplayError(ConfigError):
    """A replay file that can not be used; the message names line and column."""


class ListenError(SimError):
    """A port or a bus path that is not to be had."""


class TruthError(SimError):
    """The truth log can not be written, so what is served would no longer be on record."""
