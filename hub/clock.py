"""Time as the hub's code sees it: injected, never patched, always UTC."""

import time
from dataclasses import dataclass
from datetime import UTC, datetime
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

    def advance(self, ms: int) -> None:
        self.ms += ms


def at_s(seconds: int) -> datetime:
    """The moment that many seconds after 1970, in UTC."""
    return datetime.fromtimestamp(seconds, UTC)


def at_ms(ms: int) -> datetime:
    """The moment that many milliseconds after 1970, in UTC, exact."""
    return datetime.fromtimestamp(ms // 1000, UTC).replace(microsecond=ms % 1000 * 1000)


def to_s(moment: datetime) -> int:
    """Whole seconds since 1970 of a moment with a zone."""
    return to_ms(moment) // 1000


def to_ms(moment: datetime) -> int:
    """Milliseconds since 1970 of a moment with a zone."""
    delta = moment - datetime(1970, 1, 1, tzinfo=UTC)
    return (delta.days * 86400 + delta.seconds) * 1000 + delta.microseconds // 1000


def rfc3339_s(seconds: int) -> str:
    """That moment as JSON says it: ``2026-06-01T10:00:00Z``."""
    return at_s(seconds).isoformat(timespec="seconds").replace("+00:00", "Z")
