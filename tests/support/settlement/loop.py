"""Runs oracle, market and planner for a test to kill: `python -m support.settlement.loop URL NOW_S HOLDER`."""

import asyncio
import sys

from hub.clock import ManualClock
from hub.market.auction.service import clear_attested
from hub.metering.oracle import OracleConfig, attest_due
from hub.postgres import db
from hub.postgres.lease import acquire
from hub.settlement.planner import plan_cleared
from support.rows.site_rows import ALWAYS, KnownFunds

INTERVAL_S, POLL_S, GRACE_S = 60, 10, 20


async def run(url: str, now_s: int, holder: str) -> None:
    """Takes the lease and works on one interval at a time until none is left."""
    pool, clock, funds = await db.create_pool(url, size=2), ManualClock(now_s * 1000), KnownFunds()
    config = OracleConfig(INTERVAL_S, POLL_S, GRACE_S, coverage=ALWAYS)
    more = True
    while more:
        async with pool.acquire() as connection:
            lease = await acquire(connection, "market", holder, seconds=1)
        if lease is None:
            await asyncio.sleep(0.05)
            continue
        results = [
            await attest_due(pool, lease, clock, config, limit=1),
            await clear_attested(pool, lease, clock, funds, limit=1),
            await plan_cleared(pool, lease, clock, limit=1),
        ]
        more = any(results)
    await pool.close()


if __name__ == "__main__":
    asyncio.run(run(sys.argv[1], int(sys.argv[2]), sys.argv[3]))
