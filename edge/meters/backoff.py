"""The back-off of one meter: its pause grows with every failure in a row and ends with a success."""

from dataclasses import dataclass

STEP_MS, MAX_PAUSE_MS = 2_000, 300_000
"""The pause after n failures in a row is n steps, up to five minutes."""


@dataclass
class Backoff:
    """Failures in a row, and when the meter may be asked again, in ms of a clock that never jumps."""

    failures: int = 0
    again_at_ms: int = 0

    def may_try(self, now_ms: int) -> bool:
        """Returns whether the pause is over."""
        return now_ms >= self.again_at_ms

    def failed(self, now_ms: int) -> bool:
        """Counts a failure; returns True for the first one in a row: the meter is lost."""
        self.failures += 1
        self.again_at_ms = now_ms + min(MAX_PAUSE_MS, STEP_MS * self.failures)
        return self.failures == 1

    def succeeded(self) -> bool:
        """Ends the back-off; returns True when the meter was lost until now."""
        was_lost = self.failures > 0
        self.failures, self.again_at_ms = 0, 0
        return was_lost
