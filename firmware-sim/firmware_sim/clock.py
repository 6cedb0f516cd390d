"""Wall time as the simulator sees it, injected so that tests set it; site time is wall time plus ``sun_offset_s``."""

import time
from dataclasses import dataclass
from typing import Protocol


class Clock(Protocol):
    """What time it is."""

    def now_ms(self) -> int:
        """Milliseconds since 1970-01-01 UTC."""
        ...


class SystemClock:
    """The machine's clock."""

    def now_ms(self) -> int:
        return time.time_ns() // 1_000_000


@dataclass
class ManualClock:
    """A clock that a test sets."""

    ms: int

    def now_ms(self) -> int:
        return self.ms
