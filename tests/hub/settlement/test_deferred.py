"""An operator sees which interval is deferred, since when and why, until it is finished."""

from pathlib import Path

import pytest
from pydantic import SecretStr

from hub.clock import ManualClock, SystemClock, at_s, rfc3339_s
from hub.errors import PermanentError, RetryableError
from hub.operations.doctor import _intervals
from hub.postgres.db import Pool
from hub.settings import Settings
from hub.settlement.deferred import ESCALATE_MS, RETRY_MS, DeferredIntervals
from support.rows.site_rows import lead, lost_lease

NOW_S = SystemClock().now_ms() // 1000
FIRST, SECOND = NOW_S - 1800, NOW_S - 900


@pytest.fixture
async def planned(pool: Pool) -> Pool:
    """Two planned intervals."""
    await pool.executemany(
        "INSERT INTO intervals (start_at, end_at, state, attested_at) VALUES ($1, $2, 'planned', $2)",
        [(at_s(start_s), at_s(start_s + 900)) for start_s in (FIRST, SECOND)],
    )
    return pool


async def doctor(db_url: str) -> str:
    return await _intervals(Settings(state_dir=Path(), database_url=SecretStr(db_url)))


async def test_the_doctor_names_interval_time_and_reason(planned: Pool, db_url: str) -> None:
    assert "all that ended are closed" in await doctor(db_url)
    deferred, clock, lease = DeferredIntervals(), ManualClock(NOW_S * 1000), await lead(planned)
    deferred.defer(FIRST, RetryableError("trading refused: MandateExceeded"), clock)
    await deferred.store(planned, lease, "settlement")
    since = rfc3339_s(NOW_S)
    clock.advance(60_000)
    restarted = DeferredIntervals()
    restarted.defer(FIRST, PermanentError("the chain holds something else"), clock)
    await restarted.store(planned, lease, "settlement")
    with pytest.raises(PermanentError) as caught:
        await doctor(db_url)
    reason = f"settlement fails since {since}: the chain holds something else"
    assert str(caught.value) == f"1 do not get on: {rfc3339_s(FIRST)} is planned, {reason}"


async def test_what_has_moved_on_is_forgotten(planned: Pool, db_url: str) -> None:
    deferred, clock, lease = DeferredIntervals(), ManualClock(NOW_S * 1000), await lead(planned)
    for start_s in (FIRST, SECOND):
        deferred.defer(start_s, RetryableError("not now"), clock)
    await deferred.store(planned, lease, "settlement")
    await planned.execute("UPDATE intervals SET state = 'closed' WHERE start_at = $1", at_s(FIRST))
    deferred.finish(FIRST)
    await deferred.store(planned, lease, "settlement")
    assert await planned.fetchval("SELECT array_agg(start_at) FROM deferred_intervals") == [at_s(SECOND)]
    with pytest.raises(PermanentError, match="1 do not get on"):
        await doctor(db_url)


async def test_an_interval_that_nobody_works_on_is_named_too(planned: Pool, db_url: str) -> None:
    await planned.execute("UPDATE intervals SET end_at = end_at - interval '2 hours' WHERE start_at = $1", at_s(FIRST))
    with pytest.raises(PermanentError, match=f"{rfc3339_s(FIRST)} is planned: is a worker running"):
        await doctor(db_url)


async def test_a_leader_that_was_replaced_writes_nothing_down(planned: Pool) -> None:
    deferred, stale = DeferredIntervals(), await lost_lease(planned)
    deferred.defer(FIRST, RetryableError("not now"), SystemClock())
    with pytest.raises(RetryableError):
        await deferred.store(planned, stale, "settlement")
    assert await planned.fetchval("SELECT count(*) FROM deferred_intervals") == 0


def test_what_should_have_passed_needs_a_person_in_the_end(capsys: pytest.CaptureFixture[str]) -> None:
    deferred, clock = DeferredIntervals(), ManualClock(NOW_S * 1000)
    for _ in range(2 * ESCALATE_MS // RETRY_MS + 1):
        deferred.defer(FIRST, RetryableError("refused again"), clock)
        clock.advance(RETRY_MS)
    output = "".join(capsys.readouterr())
    assert output.count("an interval is tried again") == 1
    assert output.count("needs a person") == 2
    assert f"{rfc3339_s(NOW_S)}" in output
