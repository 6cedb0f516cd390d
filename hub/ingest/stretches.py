"""Over which time frames were taken in without a break: what the oracle's grace counts, however many copies there are.

A copy says up to which moment whatever the stream had is stored: now, when the stream has no more for it, and in a
backlog as far as it has come. While NATS or PostgreSQL is away nobody says so, and a new stretch begins after it.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import timedelta

import structlog

from hub.clock import at_ms, to_ms
from hub.ingest import repository
from hub.postgres.db import AWAY, Connection, Pool

SAY_EVERY_MS = 1_000
LAPSE_MS = 10_000
"""A break that is longer begins a new stretch; a lane without work hears of the stream every few seconds."""
FORGET_AFTER = timedelta(days=1)

_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Stretch:
    """From ``since_ms`` to ``seen_ms`` frames were taken in as they came; the default is that they never were."""

    since_ms: int = 0
    seen_ms: int = 0


def all_stored_ms(now_ms: int, newest_ms: int | None, held_ms: Iterable[int]) -> int:
    """Up to when everything that was published is stored, given in order as it is; all in ms since 1970.

    ``newest_ms``: the newest message of the batch that was just stored, or None when the stream had none behind it.
    ``held_ms``: the oldest message of each batch that is being stored.
    """
    return min([now_ms, *held_ms] if newest_ms is None else [now_ms, newest_ms, *held_ms])


class Watch:
    """Writes down for one copy that it takes frames in."""

    def __init__(self, pool: Pool, holder: str) -> None:
        self._pool = pool
        self._holder = holder
        self._said_ms = 0

    async def seen(self, at_ms_: int) -> None:
        """Whatever the stream had at that moment is stored."""
        if at_ms_ - self._said_ms < SAY_EVERY_MS:
            return
        try:
            async with self._pool.acquire() as connection:
                await repository.extend_stretch(
                    connection, self._holder, at_ms(at_ms_), timedelta(milliseconds=LAPSE_MS), FORGET_AFTER
                )
        except AWAY as error:
            # nobody has seen it then, and the oracle waits
            _log.debug("not written down", error=str(error))
        else:
            self._said_ms = at_ms_


async def newest_stretch(connection: Connection) -> Stretch:
    """The time up to now, or up to the outage, over which some copy was always taking frames in."""
    found = await repository.newest_stretch(connection, timedelta(milliseconds=LAPSE_MS))
    return Stretch() if found is None else Stretch(to_ms(found[0]), to_ms(found[1]))
