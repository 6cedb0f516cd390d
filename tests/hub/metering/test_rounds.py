"""The oracle's round in the worker."""

from dataclasses import replace
from uuid import UUID

import pytest
from structlog.testing import capture_logs

from hub.chain import clock as chain_clock
from hub.chain.client import ChainClient
from hub.clock import ManualClock
from hub.metering.clocks import ClocksDifferError
from hub.metering.rounds import AttestationRound
from hub.postgres.db import Pool
from hub.postgres.rounds import INTERVALS_A_ROUND
from hub.settings import Settings
from hub.worker.registry import rounds
from support.rows.site_rows import add_coverage, add_meter, add_participant, lead, same_time_as
from support.servers.nodes import NO_CHAIN

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


async def test_a_worker_that_is_behind_the_chain_attests_nothing(pool: Pool, monkeypatch: pytest.MonkeyPatch) -> None:
    """As the worker's registry puts the round together."""
    await add_participant(pool, UUID(int=1))
    await add_meter(pool, "METER_001", UUID(int=1), expected_from_s=START_S)
    clock = ManualClock((START_S + LENGTH_S) * 1000)
    await add_coverage(pool, 0, clock.ms // 1000)
    settings = Settings.model_construct(interval_s=LENGTH_S, poll_period_s=60, attest_grace_s=0, heartbeat_s=60)
    behind_s = [31]

    async def seconds_behind(*_: object) -> int:
        return behind_s[0]

    monkeypatch.setattr(chain_clock, "seconds_behind", seconds_behind)
    async with ChainClient(NO_CHAIN) as chain:
        oracle = next(one for one in rounds(settings, pool, clock, chain) if isinstance(one, AttestationRound))
        oracle, lease = replace(oracle, database_clock=same_time_as(clock)), await lead(pool)
        with pytest.raises(ClocksDifferError, match="behind the chain's"):
            await oracle.run(lease)
        assert await pool.fetchval("SELECT count(*) FROM intervals") == 0
        behind_s[0] = 30
        clock.advance(chain_clock.ASK_AGAIN_MS)
        await oracle.run(lease)
    assert await pool.fetchval("SELECT count(*) FROM intervals") == 1
