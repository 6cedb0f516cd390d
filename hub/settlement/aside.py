"""Intervals that a loop could not finish, each with the time at which it is tried again: none holds up the others.

Planner, submitter and reconcile each put an interval here when trades, a program, contents or patience said no.
"""

import structlog

from hub.clock import Clock, rfc3339_s
from hub.errors import HubError, PermanentError

log = structlog.get_logger()

RETRY_MS, ALARM_MS = 2_000, 30_000


class Aside:
    """What one process remembers; a restart tries everything again."""

    def __init__(self) -> None:
        self.errors: dict[int, HubError] = {}
        """By interval: why it could not be finished when it was last tried."""
        self._until_ms: dict[int, int] = {}

    def waiting(self, clock: Clock) -> list[int]:
        """The intervals that are not tried now."""
        now_ms = clock.now_ms()
        return [start_s for start_s, until_ms in self._until_ms.items() if until_ms > now_ms]

    def put(self, start_s: int, error: HubError, clock: Clock) -> None:
        """Sets an interval aside; what needs a person is said each time, what may pass once."""
        permanent = isinstance(error, PermanentError)
        self._until_ms[start_s] = clock.now_ms() + (ALARM_MS if permanent else RETRY_MS)
        known = self.errors.get(start_s)
        self.errors[start_s] = error
        if permanent:
            log.critical("needs a person", start_at=rfc3339_s(start_s), code=error.code, reason=str(error))
        elif known is None or known.code != error.code:
            log.warning("an interval is tried again", start_at=rfc3339_s(start_s), code=error.code, reason=str(error))

    def forget(self, start_s: int) -> None:
        """The interval is done."""
        self.errors.pop(start_s, None)
        self._until_ms.pop(start_s, None)
