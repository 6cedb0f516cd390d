"""The clock, which is injected and never patched, and conversions between Unix time and UTC datetimes."""

import time
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Protocol


class Clock(Protocol):
    """A source of the current time."""

    def now_ms(self) -> int:
        """Returns milliseconds since 1970-01-01 UTC."""
        ...


class SystemClock:
    """The machine's clock."""

    def now_ms(self) -> int:
        return time.time_ns() // 1_000_000


@dataclass
class ManualClock:
    """A clock that stands still until a test moves it."""

    ms: int

    def now_ms(self) -> int:
        return self.ms

    def advance(self, ms: int) -> None:
        self.ms += ms


def at_s(seconds: int) -> datetime:
    """Returns the UTC time of Unix seconds."""
    return datetime.fromtimestamp(seconds, UTC)


def at_ms(ms: int) -> datetime:
    """Returns the UTC time of Unix milliseconds, exactly."""
    return datetime.fromtimestamp(ms // 1000, UTC).replace(microsecond=ms % 1000 * 1000)


def to_s(moment: datetime) -> int:
    """Returns whole Unix seconds of a time with a zone."""
    return to_ms(moment) // 1000


def to_ms(moment: datetime) -> int:
    """Returns Unix milliseconds of a time with a zone."""
    delta = moment - datetime(1970, 1, 1, tzinfo=UTC)
    return (delta.days * 86400 + delta.seconds) * 1000 + delta.microseconds // 1000


def rfc3339_s(seconds: int) -> str:
    """Formats Unix seconds as RFC 3339: ``2026-06-01T10:00:00Z``."""
    return at_s(seconds).isoformat(timespec="seconds").replace("+00:00", "Z")
