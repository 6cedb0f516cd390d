"""Repeats work for ever: errors are logged and the work is tried again; an error in one loop ends no other loop."""

import asyncio
import contextlib
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from functools import partial

import structlog
from nats.errors import Error as NatsError

from hub.errors import PermanentError, RetryableError, first_of
from hub.observability.outage import Outage
from hub.postgres import db
from hub.postgres.lease import acquire, release, renewed
from hub.postgres.rounds import Round

log = structlog.get_logger()

PAUSE_S, RETRY_S, ALARM_S = 0.5, 2.0, 30.0
"""Pauses: after work with nothing more to do, during an outage, after an error that needs a person."""
LEASE_S = 6
TRANSIENT = (RetryableError, NatsError, *db.TRANSIENT_ERRORS)

Work = Callable[[], Awaitable[bool | None]]
"""Work to repeat; returns True when there may be more to do at once."""


@dataclass(frozen=True)
class Leader:
    """Runs rounds under their leases; one of several copies of the worker leads each round."""

    pool: db.Pool
    holder: str
    """Name of this process."""

    async def lead(self, leased_round: Round) -> None:
        """Repeats the round whenever this process holds its lease, and releases the lease when it is cancelled."""
        outage = Outage(leased_round.name)
        try:
            await repeat(outage, partial(self._run, leased_round))
        except asyncio.CancelledError:
            await self._release(leased_round.name)
            raise

    async def _run(self, leased_round: Round) -> bool:
        async with self.pool.acquire() as connection:
            lease = await acquire(connection, leased_round.name, self.holder, seconds=LEASE_S)
        if lease is None:
            return False
        async with renewed(self.pool, lease, seconds=LEASE_S):
            return await leased_round.run(lease)

    async def _release(self, name: str) -> None:
        with contextlib.suppress(Exception):
            async with self.pool.acquire(timeout=1) as connection:
                lease = await acquire(connection, name, self.holder, seconds=1)
                if lease is not None:
                    await release(connection, lease)


async def repeat(outage: Outage, work: Work) -> None:
    """Repeats the work until cancelled."""
    while True:
        pause_s = await attempt(outage, work)
        await asyncio.sleep(pause_s)


async def attempt(outage: Outage, work: Work) -> float:
    """Does the work once and returns the pause after it in seconds.

    An outage is logged when it begins and when it ends, an error that needs a person each time. A bug is logged too
    and ends no other loop, such as ingest.
    """
    try:
        has_more = await work()
    except Exception as error:
        if _is_being_cancelled():
            raise asyncio.CancelledError from error
        return _handle_error(outage, error)
    outage.ends()
    return 0.0 if has_more else PAUSE_S


def _is_being_cancelled() -> bool:
    """Returns whether an error came while this task is cancelled; asyncpg raises one when its server is gone."""
    task = asyncio.current_task()
    return task is not None and task.cancelling() > 0


def _handle_error(outage: Outage, error: Exception) -> float:
    serious = error.split(TRANSIENT)[1] if isinstance(error, ExceptionGroup) else error
    if serious is None or isinstance(serious, TRANSIENT):
        outage.begins(first_of(error))
        return RETRY_S
    first = first_of(serious)
    if isinstance(first, PermanentError):
        log.critical("needs a person", loop=outage.loop, code=first.code, reason=str(first))
    else:
        log.critical("needs a person", loop=outage.loop, code="bug", reason=repr(first), exc_info=first)
    return ALARM_S
