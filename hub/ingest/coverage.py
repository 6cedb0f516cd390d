"""Records the time over which frames were taken in without a break: the oracle's grace runs in that time only.

Each copy of the worker records up to which moment everything in the stream is stored: the present when nothing waits,
in a backlog the time of the newest stored message. A break, while NATS or PostgreSQL is away, begins a new coverage.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import timedelta

import structlog

from hub.clock import at_ms, to_ms
from hub.ingest import repository
from hub.postgres.db import TRANSIENT_ERRORS, Connection, Pool

RECORD_EVERY_MS = 1_000
LAPSE_MS = 10_000
"""A break that is longer begins a new coverage; an idle lane asks the stream every few seconds."""
FORGET_AFTER = timedelta(days=1)

_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Coverage:
    """Frames were taken in as they came from ``since_ms`` to ``seen_ms`` (ms since 1970); by default never."""

    since_ms: int = 0
    seen_ms: int = 0


def all_stored_ms(now_ms: int, newest_ms: int | None, held_ms: Iterable[int]) -> int:
    """Returns the time up to which every published message is stored (all times in ms since 1970).

    ``newest_ms``: the newest message of the batch that was just stored, or None when the stream had none behind it.
    ``held_ms``: the oldest message of each batch that is being stored.
    """
    return min([now_ms, *held_ms] if newest_ms is None else [now_ms, newest_ms, *held_ms])


class CoverageRecorder:
    """Records the coverage of one copy of the worker."""

    def __init__(self, pool: Pool, holder: str) -> None:
        self._pool = pool
        self._holder = holder
        self._recorded_ms = 0

    async def record(self, stored_ms: int) -> None:
        """Records that everything published up to ``stored_ms`` is stored; at most once a second."""
        if stored_ms - self._recorded_ms < RECORD_EVERY_MS:
            return
        try:
            async with self._pool.acquire() as connection:
                await repository.extend_coverage(
                    connection, self._holder, at_ms(stored_ms), timedelta(milliseconds=LAPSE_MS), FORGET_AFTER
                )
        except TRANSIENT_ERRORS as error:
            # then it counts as not taken in, and the oracle waits
            _log.debug("not written down", error=str(error))
        else:
            self._recorded_ms = stored_ms


async def newest_coverage(connection: Connection) -> Coverage:
    """Returns the time over which some copy was always taking frames in, up to now or up to the outage."""
    found = await repository.newest_coverage(connection, timedelta(milliseconds=LAPSE_MS))
    return Coverage() if found is None else Coverage(to_ms(found[0]), to_ms(found[1]))
