"""Counts the site's totals, with a cache that bounds the load on the database.

The count takes longer the more rows there are, and every user may ask for it. A result is kept for twenty times as
long as the count took, at least a second; requests during a count wait for its result.
"""

import asyncio
import time

from hub.http.context import connected
from hub.http.rows import Row
from hub.postgres.db import Pool
from hub.system import queries

CACHE_FACTOR, MIN_CACHE_S = 20, 1.0


class TotalsCounter:
    """The totals of one application."""

    def __init__(self) -> None:
        self._count_task: asyncio.Task[Row] | None = None
        self._valid_until_s = 0.0

    async def totals(self, pool: Pool) -> Row:
        """Returns the totals, at most as old as the cache allows.

        Raises:
            DatabaseUnavailableError: the server does not answer, or all connections are busy.
        """
        if self._count_task is None or (self._count_task.done() and time.monotonic() >= self._valid_until_s):
            self._count_task = asyncio.create_task(self._count(pool), name="totals")
        # a cancelled request does not end the count for the others
        return await asyncio.shield(self._count_task)

    async def _count(self, pool: Pool) -> Row:
        started_s, self._valid_until_s = time.monotonic(), 0.0
        async with connected(pool) as connection, connection.transaction(isolation="repeatable_read", readonly=True):
            row = await queries.totals(connection)
        ended_s = time.monotonic()
        self._valid_until_s = ended_s + max(MIN_CACHE_S, CACHE_FACTOR * (ended_s - started_s))
        return row
