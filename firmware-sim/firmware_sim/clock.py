"""Reads the wall clock; who needs time is given a ``Clock``. Site time is wall time plus ``sun_offset_s``."""

import time
from dataclasses import dataclass
from typing import Protocol


class Clock(Protocol):
    """The clock that the simulator reads."""

    def now_ms(self) -> int:
        """Returns the wall clock in ms since 1970 UTC."""
        ...


class SystemClock:
    """The machine's clock."""

    def now_ms(self) -> int:
        return time.time_ns() // 1_000_000


@dataclass
class ManualClock:
    """A clock for tests: it stands still until it is set."""

    ms: int

    def now_ms(self) -> int:
        return self.ms
