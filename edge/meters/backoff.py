"""Back-off of one meter: grows with every failure, never touches its neighbours, and is gone after a success."""

from dataclasses import dataclass

STEP_MS, MOST_MS = 2_000, 300_000


@dataclass
class Backoff:
    """Failures in a row, and when the meter may be asked again (milliseconds of a clock that never jumps)."""

    failures: int = 0
    again_at_ms: int = 0

    def may_try(self, now_ms: int) -> bool:
        """True when the pause is over."""
        return now_ms >= self.again_at_ms

    def failed(self, now_ms: int) -> bool:
        """Notes a failure; True when the meter is lost from now on (said once)."""
        self.failures += 1
        self.again_at_ms = now_ms + min(MOST_MS, STEP_MS * self.failures)
        return self.failures == 1

    def succeeded(self) -> bool:
        """Notes a success; True when the meter is back from having been lost (said once)."""
        back = self.failures > 0
        self.failures, self.again_at_ms = 0, 0
        return back
