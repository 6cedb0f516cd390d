"""When a node is left alone for a while: a circuit breaker, pure but for the clock that it is given.

Closed, every call goes out. After some failures in a row, or when the node itself asks for a pause, it is open and
calls fail at once. After the pause it is half open: one call goes out as a probe, and closes it or prolongs the pause.
"""

from dataclasses import dataclass
from typing import Literal

from hub.clock import Clock

FAILURES = 3
FIRST_PAUSE_MS, LONGEST_PAUSE_MS = 1_000, 15_000
LONGEST_ASKED_MS = 600_000
"""A node that asks for more gets this."""

State = Literal["closed", "half open", "open"]


@dataclass
class Breaker:
    """What one process remembers of one node."""

    clock: Clock
    _failures: int = 0
    _pause_ms: int = 0
    """The last pause; 0 while closed."""
    _until_ms: int = 0
    _probing: bool = False

    @property
    def state(self) -> State:
        if not self._pause_ms:
            return "closed"
        return "open" if self.left_ms else "half open"

    @property
    def left_ms(self) -> int:
        """How long calls still fail at once; a clock that was set back makes it no longer than a pause can be."""
        left_ms = self._until_ms - self.clock.now_ms()
        return left_ms if 0 < left_ms <= LONGEST_ASKED_MS else 0

    def admits(self) -> bool:
        """Whether a call may go out now. A probe holds up the others for another pause, whatever becomes of it."""
        if self.left_ms:
            return False
        if self._pause_ms:
            self._probing = True
            self._until_ms = self.clock.now_ms() + self._pause_ms
        return True

    def succeeded(self) -> None:
        """A call that went out was answered."""
        self._failures, self._pause_ms, self._until_ms, self._probing = 0, 0, 0, False

    def failed(self, asked_ms: int | None = None) -> None:
        """A call that went out was not; ``asked_ms`` is the pause that the node asks for."""
        self._failures += 1
        if asked_ms is None and self._failures < FAILURES:
            return
        if self._probing or not self._pause_ms:
            # others that were on their way when it opened tell nothing new
            self._pause_ms = min(2 * self._pause_ms, LONGEST_PAUSE_MS) or FIRST_PAUSE_MS
            self._until_ms = self.clock.now_ms() + self._pause_ms
        self._probing = False
        if asked_ms is not None:
            self._until_ms = max(self._until_ms, self.clock.now_ms() + min(asked_ms, LONGEST_ASKED_MS))
