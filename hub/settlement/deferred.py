"""Keeps the intervals that a round could not finish, each with the time of its next try, so that the others go on.

Planner, submitter and reconcile each defer an interval when its trades can not be planned, a program refuses a step,
the contents differ or the time is over. The deferred intervals are stored for operators.
"""

from dataclasses import dataclass

import structlog

from hub.clock import Clock, rfc3339_s
from hub.errors import HubError, PermanentError
from hub.postgres.db import Pool
from hub.postgres.lease import Lease, guard
from hub.settlement import repository

log = structlog.get_logger()

RETRY_MS, PERMANENT_RETRY_MS = 2_000, 30_000
"""Pause before the next try after a retryable and after a permanent error."""
ESCALATE_MS = 600_000
"""A retryable error that lasts this long needs a person too, while there are hours left to open the interval."""


@dataclass
class _Deferral:
    error: HubError
    since_ms: int
    tried_ms: int
    logged_ms: int


class DeferredIntervals:
    """The deferred intervals of one process; a restart tries all of them again."""

    def __init__(self) -> None:
        self._deferrals: dict[int, _Deferral] = {}
        self._until_ms: dict[int, int] = {}
        self._changed = False

    @property
    def errors(self) -> dict[int, HubError]:
        """By interval start the error of its last try."""
        return {start_s: deferral.error for start_s, deferral in self._deferrals.items()}

    def not_due(self, clock: Clock) -> list[int]:
        """Returns the starts of the intervals whose next try is not due yet."""
        now_ms = clock.now_ms()
        return [start_s for start_s, until_ms in self._until_ms.items() if until_ms > now_ms]

    def defer(self, start_s: int, error: HubError, clock: Clock) -> None:
        """Defers an interval and logs the error.

        A permanent error is logged each time. A retryable one is logged once, and as critical when it lasts
        ``ESCALATE_MS``.
        """
        now_ms, earlier = clock.now_ms(), self._deferrals.get(start_s)
        deferral = earlier or _Deferral(error, now_ms, now_ms, now_ms)
        permanent = isinstance(error, PermanentError)
        self._until_ms[start_s] = now_ms + (PERMANENT_RETRY_MS if permanent else RETRY_MS)
        if permanent or now_ms - deferral.logged_ms >= ESCALATE_MS:
            deferral.logged_ms = now_ms
            since = rfc3339_s(deferral.since_ms // 1000)
            start_at = rfc3339_s(start_s)
            log.critical("needs a person", start_at=start_at, code=error.code, since=since, reason=str(error))
        elif earlier is None or earlier.error.code != error.code:
            log.warning("an interval is tried again", start_at=rfc3339_s(start_s), code=error.code, reason=str(error))
        deferral.error, deferral.tried_ms = error, now_ms
        self._deferrals[start_s] = deferral
        self._changed = True

    def finish(self, start_s: int) -> None:
        """Removes an interval that is finished; nothing happens when it was not deferred."""
        self._changed |= self._deferrals.pop(start_s, None) is not None
        self._until_ms.pop(start_s, None)

    async def store(self, pool: Pool, lease: Lease, stage: repository.Stage) -> None:
        """Stores the deferred intervals for operators, if they have changed.

        The time since when an interval is deferred stays in the database over restarts.

        Raises:
            LeaseLostError: another process leads; nothing was written.
        """
        if not self._changed:
            return
        rows = [
            repository.DeferredRow(
                start_s, stage, deferral.error.code, str(deferral.error), deferral.since_ms, deferral.tried_ms
            )
            for start_s, deferral in self._deferrals.items()
        ]
        async with pool.acquire() as connection, connection.transaction():
            await guard(connection, lease)
            await repository.store_deferred(connection, stage, rows)
        self._changed = False
