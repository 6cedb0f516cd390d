"""Intervals that a loop could not finish, each with the time at which it is tried again: none holds up the others.

Planner, submitter and reconcile each put an interval here when trades, a program, contents or patience said no; what
stands here is written down for operators.
"""

from dataclasses import dataclass

import structlog

from hub.clock import Clock, rfc3339_s
from hub.errors import HubError, PermanentError
from hub.postgres.db import Pool
from hub.postgres.lease import Lease, guard
from hub.settlement import repository

log = structlog.get_logger()

RETRY_MS, ALARM_MS = 2_000, 30_000
LONG_MS = 600_000
"""What should have passed by then needs a person too, while there are hours left to open an interval."""


@dataclass
class _Trouble:
    error: HubError
    since_ms: int
    tried_ms: int
    said_ms: int


class DeferredIntervals:
    """What one process remembers; a restart tries everything again."""

    def __init__(self) -> None:
        self._troubles: dict[int, _Trouble] = {}
        self._until_ms: dict[int, int] = {}
        self._unwritten = False

    @property
    def errors(self) -> dict[int, HubError]:
        """By interval: why it could not be finished when it was last tried."""
        return {start_s: trouble.error for start_s, trouble in self._troubles.items()}

    def waiting(self, clock: Clock) -> list[int]:
        """The intervals that are not tried now."""
        now_ms = clock.now_ms()
        return [start_s for start_s, until_ms in self._until_ms.items() if until_ms > now_ms]

    def defer(self, start_s: int, error: HubError, clock: Clock) -> None:
        """Defers an interval: what needs a person is said each time, what may pass once and when it does not."""
        now_ms, known = clock.now_ms(), self._troubles.get(start_s)
        trouble = known or _Trouble(error, now_ms, now_ms, now_ms)
        permanent = isinstance(error, PermanentError)
        self._until_ms[start_s] = now_ms + (ALARM_MS if permanent else RETRY_MS)
        if permanent or now_ms - trouble.said_ms >= LONG_MS:
            trouble.said_ms = now_ms
            since = rfc3339_s(trouble.since_ms // 1000)
            start_at = rfc3339_s(start_s)
            log.critical("needs a person", start_at=start_at, code=error.code, since=since, reason=str(error))
        elif known is None or known.error.code != error.code:
            log.warning("an interval is tried again", start_at=rfc3339_s(start_s), code=error.code, reason=str(error))
        trouble.error, trouble.tried_ms = error, now_ms
        self._troubles[start_s] = trouble
        self._unwritten = True

    def finished(self, start_s: int) -> None:
        """The interval is done."""
        self._unwritten |= self._troubles.pop(start_s, None) is not None
        self._until_ms.pop(start_s, None)

    async def write_down(self, pool: Pool, lease: Lease, stage: repository.Stage) -> None:
        """Leaves for operators what stands here, if that has changed; since when it is there outlives this process."""
        if not self._unwritten:
            return
        rows = [
            repository.DeferredRow(start_s, stage, one.error.code, str(one.error), one.since_ms, one.tried_ms)
            for start_s, one in self._troubles.items()
        ]
        async with pool.acquire() as connection, connection.transaction():
            await guard(connection, lease)
            await repository.write_deferred(connection, stage, rows)
        self._unwritten = False
