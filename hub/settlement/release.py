"""Ends an interval that can not settle: its trades become utility energy, and it closes with zero lines.

The submitter calls it when it is too late to open the settlement, or when the settlement was aborted and its lines are
returned. The interval is planned again without lines; its attestation and mint stay.
"""

from hub.clock import rfc3339_s
from hub.live import outbox
from hub.market import repository as market
from hub.market.corrections import rewrite_corrections
from hub.market.utility import utility_lines
from hub.metering.repository import lock_interval
from hub.postgres.db import Connection
from hub.settlement import repository


async def release_trades(connection: Connection, start_s: int, now_ms: int) -> int:
    """Releases the interval's trades, in the caller's transaction; returns how many there were.

    Raises:
        ConfigError: no rates are stored for the interval.
    """
    await lock_interval(connection, start_s)
    released = await market.release_trades(connection, start_s, now_ms)
    metered = [row.metered for row in await market.metered_energy(connection, start_s)]
    lines = utility_lines(metered, {}, await market.rates_at(connection, start_s))
    await market.update_utility_lines(connection, start_s, lines)
    await rewrite_corrections(connection, start_s)
    await repository.plan_without_lines(connection, start_s, now_ms)
    payload = {"start_at": rfc3339_s(start_s), "state": "released", "lines": 0, "trades": released}
    await outbox.append(connection, "settlement", payload)
    return released
