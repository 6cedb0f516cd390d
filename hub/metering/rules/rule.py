"""What a rule is: an id, an effect, a pure function, and what it says to people."""

from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum, auto
from typing import Any

from hub.metering.rules.window import Window


class Effect(Enum):
    """What happens to a value that a rule flags; the later ones are stronger."""

    NOTE = auto()
    DOUBT = auto()
    WITHHOLD = auto()


@dataclass(frozen=True, slots=True)
class Rule:
    """One rule: its id, what it does, the function, what it says to people, and the one action that mends the cause."""

    id: str
    effect: Effect
    flags: Callable[[Window], bool]
    says: str
    mend: str = ""
    acceptable: bool = False
    """Whether a person may accept the registers that it flags: then it only remarks."""


@dataclass(frozen=True, slots=True)
class ZoneRule:
    """A rule over the meters of a zone; the function gets the zone and the percentage of losses in it."""

    id: str
    effect: Effect
    flags: Callable[[Any, int], bool]
    says: str
    mend: str
