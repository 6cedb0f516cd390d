"""The base of the hub's errors. Leaf classes live with their domain and split into permanent and retryable."""


class HubError(Exception):
    """Something the hub refuses or can not do; the message says what to do about it."""

    code: str = "hub_error"
    """Stable name, shown in problem+json, logs and quarantine."""


class PermanentError(HubError):
    """Trying again with the same input fails again."""

    code = "permanent"


class RetryableError(HubError):
    """May pass when tried again later."""

    code = "retryable"


class ConfigError(PermanentError):
    """A setting, file or environment that an operator must mend before the process can start."""

    code = "config"


def first_of(error: BaseException) -> BaseException:
    """The error itself, of a group the first one in it."""
    return first_of(error.exceptions[0]) if isinstance(error, BaseExceptionGroup) else error
