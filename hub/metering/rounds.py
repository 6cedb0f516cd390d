"""The worker's round of the oracle."""

from dataclasses import dataclass

import structlog

from hub.chain.clock import ChainClock
from hub.clock import Clock
from hub.ingest.coverage import newest_coverage
from hub.metering.clocks import DatabaseClock, require_one_time
from hub.metering.oracle import OracleConfig, attest_due
from hub.metering.repository import database_now_ms
from hub.metering.sun import Site
from hub.postgres.db import Pool
from hub.postgres.lease import Lease
from hub.postgres.rounds import INTERVALS_A_ROUND
from hub.settings import Settings

log = structlog.get_logger()


def site_of(settings: Settings) -> Site | None:
    """Returns where the site is; None when the settings do not say."""
    if settings.site_latitude is None or settings.site_longitude is None:
        return None
    return Site(settings.site_latitude, settings.site_longitude, settings.sun_offset_s)


@dataclass(frozen=True)
class AttestationRound:
    """Attests the intervals that are due, also while the market is halted or the chain does not answer."""

    settings: Settings
    pool: Pool
    clock: Clock
    database_clock: DatabaseClock = database_now_ms
    chain_clock: ChainClock | None = None
    name: str = "oracle"

    async def run(self, lease: Lease) -> bool:
        """Attests at most ``INTERVALS_A_ROUND`` intervals; returns True when it was that many.

        Raises:
            ClocksDifferError: the clocks differ, and nothing was attested.
            LeaseLostError: another copy leads.
        """
        settings = self.settings
        chain_ahead_s = 0 if self.chain_clock is None else await self.chain_clock.seconds_behind()
        async with self.pool.acquire() as connection:
            await require_one_time(connection, self.clock, self.database_clock, chain_ahead_s)
            coverage = await newest_coverage(connection)
        config = OracleConfig(
            settings.interval_s,
            settings.poll_period_s,
            settings.attest_grace_s,
            coverage,
            settings.heartbeat_s,
            site_of(settings),
        )
        attested = await attest_due(self.pool, lease, self.clock, config)
        for interval in attested:
            log.info(
                "attested",
                start_s=interval.start_s,
                valid=interval.meters_valid,
                estimated=interval.meters_estimated,
            )
        return len(attested) == INTERVALS_A_ROUND
