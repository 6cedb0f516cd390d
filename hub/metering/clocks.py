"""Compares the clocks that the oracle depends on; while they differ, nobody is offline and nothing is attested."""

from collections.abc import Awaitable, Callable
from statistics import median

from hub.chain.clock import MAX_BEHIND_S
from hub.clock import Clock
from hub.errors import RetryableError
from hub.metering import repository
from hub.postgres.db import Connection

MAX_DATABASE_APART_MS = 2_000
MAX_GATEWAYS_APART_MS = 30_000
"""Half of the gateways whose clocks are synchronised must agree with the hub to within this."""

DatabaseClock = Callable[[Connection], Awaitable[int]]
"""Returns PostgreSQL's time in ms since 1970."""


class ClocksDifferError(RetryableError):
    """The worker's clock differs from PostgreSQL's, from the gateways' or from the chain's."""

    code = "clocks_differ"


async def require_one_time(
    connection: Connection, clock: Clock, database: DatabaseClock, chain_ahead_s: int = 0
) -> None:
    """Compares this process's clock with PostgreSQL's, the chain's, and what synchronised gateways say in heartbeats.

    A host that boots with a wrong clock takes its database along, so that only the gateways can tell, and the chain
    when the clock is behind: ``chain_ahead_s`` is by how much the chain's newest block is ahead of it.

    Raises:
        ClocksDifferError: they differ; the message says by how much and what to do.
    """
    now_ms = clock.now_ms()
    apart_ms = now_ms - await database(connection)
    if abs(apart_ms) > MAX_DATABASE_APART_MS:
        raise ClocksDifferError(
            f"This worker's clock is {apart_ms / 1000:+.1f} s from PostgreSQL's: nothing is attested until both follow "
            "a time server"
        )
    if chain_ahead_s > MAX_BEHIND_S:
        raise ClocksDifferError(
            f"The hub's clock is {chain_ahead_s} s behind the chain's: nothing is attested until it follows a time "
            "server"
        )
    offsets_ms = await repository.heartbeat_offsets_ms(connection, now_ms)
    if offsets_ms and abs(behind_ms := median(offsets_ms)) > MAX_GATEWAYS_APART_MS:
        raise ClocksDifferError(
            f"The hub's clock is {-behind_ms / 1000:+.1f} s from that of {len(offsets_ms)} synchronised gateways: "
            "nothing is attested until it follows a time server"
        )
