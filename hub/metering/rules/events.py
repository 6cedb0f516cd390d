"""Rules over what happened to a counter inside an interval; the names are those of signed events."""

from hub.metering.rules.window import Window


def happened(name: str, window: Window) -> bool:
    """Whether an event of this name lies in the interval."""
    return any(b.name == name for b in window.breaks)


def unseen_event(window: Window) -> bool:
    """Whether the registers went on from others, and nobody can know what flowed meanwhile."""
    return any(not b.known for b in window.breaks)
