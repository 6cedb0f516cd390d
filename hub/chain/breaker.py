"""A circuit breaker for an RPC node; it has no side effects, and reads the time from the clock that it is given.

A closed breaker lets every call out. It opens after some failures in a row, or when the node asks for a pause
(`Retry-After`); calls then fail at once. After the pause it is half open and lets one call out as a probe. Success
closes it; failure doubles the pause.
"""

from dataclasses import dataclass
from typing import Literal

from hub.clock import Clock

FAILURE_THRESHOLD = 3
FIRST_PAUSE_MS, MAX_PAUSE_MS = 1_000, 15_000
MAX_RETRY_AFTER_MS = 600_000
"""The longest pause that a node can ask for."""

State = Literal["closed", "half open", "open"]


@dataclass
class CircuitBreaker:
    """One process's record of one node's failures."""

    clock: Clock
    _failures: int = 0
    _pause_ms: int = 0
    """The current or last pause; 0 while closed."""
    _open_until_ms: int = 0
    _probing: bool = False

    @property
    def state(self) -> State:
        if not self._pause_ms:
            return "closed"
        return "open" if self.remaining_ms else "half open"

    @property
    def remaining_ms(self) -> int:
        """Milliseconds for which calls still fail at once; 0 when the clock was set back further than a pause lasts."""
        remaining_ms = self._open_until_ms - self.clock.now_ms()
        return remaining_ms if 0 < remaining_ms <= MAX_RETRY_AFTER_MS else 0

    def allows_call(self) -> bool:
        """Whether a call may go out now; a probe keeps the others back for another pause."""
        if self.remaining_ms:
            return False
        if self._pause_ms:
            self._probing = True
            self._open_until_ms = self.clock.now_ms() + self._pause_ms
        return True

    def record_success(self) -> None:
        """Records that the node answered a call."""
        self._failures, self._pause_ms, self._open_until_ms, self._probing = 0, 0, 0, False

    def record_failure(self, retry_after_ms: int | None = None) -> None:
        """Records that a call failed; ``retry_after_ms`` is the pause that the node asks for."""
        self._failures += 1
        if retry_after_ms is None and self._failures < FAILURE_THRESHOLD:
            return
        if self._probing or not self._pause_ms:
            # calls that were under way when it opened say nothing new
            self._pause_ms = min(2 * self._pause_ms, MAX_PAUSE_MS) or FIRST_PAUSE_MS
            self._open_until_ms = self.clock.now_ms() + self._pause_ms
        self._probing = False
        if retry_after_ms is not None:
            self._open_until_ms = max(
                self._open_until_ms, self.clock.now_ms() + min(retry_after_ms, MAX_RETRY_AFTER_MS)
            )
