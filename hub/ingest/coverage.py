"""Records the coverage: the time over which frames were taken in without a break. The oracle's grace runs only in it.

Each copy of the worker records the time up to which every message of the stream is stored: now when nothing waits, in
a backlog the time of the newest stored message. A break, while NATS or PostgreSQL is away, begins a new coverage.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import timedelta

import structlog

from hub.clock import at_ms, to_ms
from hub.ingest import repository
from hub.postgres.db import TRANSIENT_ERRORS, Connection, Pool

RECORD_EVERY_MS = 1_000
MAX_BREAK_MS = 10_000
"""After a longer break a new coverage begins; an idle lane asks the stream every few seconds."""
FORGET_AFTER = timedelta(days=8)

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Coverage:
    """The time over which frames were taken in without a break, from ``since_ms`` to ``seen_ms`` (ms since 1970).

    The default is no time at all.
    """

    since_ms: int = 0
    seen_ms: int = 0


def all_stored_ms(now_ms: int, newest_ms: int | None, unstored_ms: Iterable[int]) -> int:
    """Returns the time up to which every published message is stored (all times in ms since 1970).

    ``newest_ms``: the newest message of the batch that was just stored; None when no message was left in the stream.
    ``unstored_ms``: the oldest message of each batch that is being stored.
    """
    return min([now_ms, *unstored_ms] if newest_ms is None else [now_ms, newest_ms, *unstored_ms])


class CoverageRecorder:
    """Records the coverage of one copy of the worker."""

    def __init__(self, pool: Pool, holder: str) -> None:
        self._pool = pool
        self._holder = holder
        self._recorded_ms = 0

    async def record(self, stored_ms: int) -> None:
        """Records that everything published up to ``stored_ms`` (since 1970) is stored; at most once a second."""
        if stored_ms - self._recorded_ms < RECORD_EVERY_MS:
            return
        try:
            async with self._pool.acquire() as connection:
                await repository.extend_coverage(
                    connection, self._holder, at_ms(stored_ms), timedelta(milliseconds=MAX_BREAK_MS), FORGET_AFTER
                )
        except TRANSIENT_ERRORS as error:
            # the time is then not covered, and the oracle waits
            log.debug("not written down", error=str(error))
        else:
            self._recorded_ms = stored_ms


async def covered_ms(connection: Connection, since_ms: int, until_ms: int) -> int:
    """Returns for how many ms of [since, until), in ms since 1970, at least one copy was taking frames in."""
    covered = await repository.covered(connection, at_ms(since_ms), at_ms(until_ms))
    return covered // timedelta(milliseconds=1)


async def newest_coverage(connection: Connection) -> Coverage:
    """Returns the newest time over which at least one copy was always taking frames in."""
    times = await repository.newest_coverage(connection, timedelta(milliseconds=MAX_BREAK_MS))
    return Coverage() if times is None else Coverage(to_ms(times[0]), to_ms(times[1]))
