"""The site's totals, counted over everything there is, but never more than a small part of the time.

Whoever is signed in may ask, and the count takes longer the more there is: each answer is kept for twenty times as long
as it took, and at least a second, and who asks meanwhile waits for the one that is being counted.
"""

import asyncio
import time

from hub.http.context import connected
from hub.http.rows import Row
from hub.postgres.db import Pool
from hub.system import queries

KEPT_TIMES, KEPT_AT_LEAST_S = 20, 1.0


class TotalsCounter:
    """Counts for one application."""

    def __init__(self) -> None:
        self._counting: asyncio.Task[Row] | None = None
        self._good_until_s = 0.0

    async def totals(self, pool: Pool) -> Row:
        """Everything counted and summed, a moment ago.

        Raises:
            DatabaseUnavailableError: the server is away, or all connections are busy.
        """
        if self._counting is None or (self._counting.done() and time.monotonic() >= self._good_until_s):
            self._counting = asyncio.create_task(self._count(pool), name="totals")
        # one reader's leaving does not end the count for the others
        return await asyncio.shield(self._counting)

    async def _count(self, pool: Pool) -> Row:
        begun_s, self._good_until_s = time.monotonic(), 0.0
        async with connected(pool) as connection, connection.transaction(isolation="repeatable_read", readonly=True):
            counted = await queries.totals(connection)
        ended_s = time.monotonic()
        self._good_until_s = ended_s + max(KEPT_AT_LEAST_S, KEPT_TIMES * (ended_s - begun_s))
        return counted
