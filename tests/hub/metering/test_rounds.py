"""The oracle's round in the worker."""

from uuid import UUID

from structlog.testing import capture_logs

from hub.clock import ManualClock
from hub.metering.rounds import AttestationRound
from hub.postgres.db import Pool
from hub.postgres.rounds import INTERVALS_A_ROUND
from hub.settings import Settings
from support.rows.site_rows import add_coverage, add_meter, add_participant, lead, same_time_as

START_S, LENGTH_S = 1_780_308_000, 900


async def test_more_intervals_than_a_round_takes_are_attested_without_a_pause(pool: Pool) -> None:
    await add_participant(pool, UUID(int=1))
    await add_meter(pool, "METER_001", UUID(int=1), expected_from_s=START_S)
    clock = ManualClock((START_S + (INTERVALS_A_ROUND + 1) * LENGTH_S) * 1000)
    await add_coverage(pool, 0, clock.ms // 1000)
    settings = Settings.model_construct(interval_s=LENGTH_S, poll_period_s=60, attest_grace_s=0, heartbeat_s=60)
    oracle, lease = AttestationRound(settings, pool, clock, same_time_as(clock)), await lead(pool)
    assert oracle.name == "oracle"
    with capture_logs() as logged:
        assert await oracle.run(lease) is True
    assert len(logged) == INTERVALS_A_ROUND
    assert logged[1] == {
        "event": "attested", "log_level": "info", "start_s": START_S + LENGTH_S, "valid": 0, "estimated": 1,
    }  # fmt: skip
    assert await oracle.run(lease) is False
    assert await pool.fetchval("SELECT count(*) FROM intervals") == INTERVALS_A_ROUND + 1
