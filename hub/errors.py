"""Base classes of the hub's errors. Each package defines its own subclasses, which are permanent or retryable."""


class HubError(Exception):
    """The hub refuses something or can not do it; the message says what to do."""

    code: str = "hub_error"
    """Stable name, as problem+json, logs and quarantine show it."""


class PermanentError(HubError):
    """The same input fails again when it is tried again."""

    code = "permanent"


class RetryableError(HubError):
    """The same input may succeed later."""

    code = "retryable"


class ConfigError(PermanentError):
    """An operator must correct a setting, a file or the environment before the process can start."""

    code = "config"


def first_of(error: BaseException) -> BaseException:
    """Returns the error itself, or the first error of a group."""
    return first_of(error.exceptions[0]) if isinstance(error, BaseExceptionGroup) else error
