"""The version of the installed agent."""

from importlib.metadata import PackageNotFoundError, version


def agent_version() -> str:
    """Returns the version of the installed package; ``0+unknown`` when it runs from a folder that is not installed."""
    try:
        return version("peerwatt")
    except PackageNotFoundError:
        return "0+unknown"
