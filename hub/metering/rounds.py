"""The worker's round of the oracle."""

from dataclasses import dataclass

import structlog

from hub.clock import Clock
from hub.ingest.coverage import newest_coverage
from hub.metering.oracle import OracleConfig, attest_due
from hub.postgres.db import Pool
from hub.postgres.lease import Lease
from hub.postgres.rounds import INTERVALS_A_ROUND
from hub.settings import Settings

log = structlog.get_logger()


@dataclass(frozen=True)
class AttestationRound:
    """Attests the intervals that are due, also while the market is halted or the chain does not answer."""

    settings: Settings
    pool: Pool
    clock: Clock
    name: str = "oracle"

    async def run(self, lease: Lease) -> bool:
        """Attests at most ``INTERVALS_A_ROUND`` intervals; returns True when it was that many.

        Raises:
            LeaseLostError: another copy leads.
        """
        settings = self.settings
        async with self.pool.acquire() as connection:
            coverage = await newest_coverage(connection)
        config = OracleConfig(
            settings.interval_s, settings.poll_period_s, settings.attest_grace_s, coverage.since_ms, coverage.seen_ms
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
