"""Rules over what a person decided about an interval."""

from hub.metering.readings import DecisionKind
from hub.metering.rules.window import Window


def decided(kind: DecisionKind, window: Window) -> bool:
    """Whether a decision of this kind stands for the interval."""
    return window.decision is not None and window.decision.kind == kind
