"""The simulator's errors: each class carries the exit code of the process, each message says what to do."""


class SimError(Exception):
    """The simulator can not run, or not go on."""

    exit_code = 1


class ConfigError(SimError):
    """A setting or an input file is wrong (exit code 78, ``EX_CONFIG``)."""

    exit_code = 78


class ReplayError(ConfigError):
    """A replay file is wrong; the message names line and column."""


class ScenarioError(ConfigError):
    """A scenario file is wrong; the message names the file and the fault or key."""


class ListenError(SimError):
    """A port or the path of a bus can not be opened."""


class TruthError(SimError):
    """The truth log can not be written, so that nothing more may be served."""
