"""An operator sees which interval is deferred, since when and why, until it is finished."""

from pathlib import Path

import pytest
from pydantic import SecretStr

from hub.clock import ManualClock, SystemClock, at_s, rfc3339_s
from hub.errors import PermanentError, RetryableError
from hub.operations.doctor import _intervals
from hub.postgres.db import Pool
from hub.settings import Settings
from hub.settlement.deferred import ESCALATE_MS, PERMANENT_RETRY_MS, RETRY_MS, DeferredIntervals
from hub.settlement.repository import Stage
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


@pytest.mark.parametrize(
    ("error", "pause_ms"), [(RetryableError("not now"), RETRY_MS), (PermanentError("never"), PERMANENT_RETRY_MS)]
)
def test_an_interval_is_tried_again_after_its_pause(error: RetryableError | PermanentError, pause_ms: int) -> None:
    assert (RETRY_MS, PERMANENT_RETRY_MS, ESCALATE_MS) == (2_000, 30_000, 600_000)
    deferred, clock = DeferredIntervals(), ManualClock(NOW_S * 1000)
    deferred.defer(FIRST, error, clock)
    assert (deferred.not_due(clock), deferred.errors) == ([FIRST], {FIRST: error})
    clock.advance(pause_ms - 1)
    assert deferred.not_due(clock) == [FIRST]
    clock.advance(1)
    assert (deferred.not_due(clock), deferred.errors) == ([], {FIRST: error})
    deferred.defer(FIRST, error, clock)
    deferred.finish(FIRST)
    deferred.finish(SECOND)
    assert (deferred.not_due(clock), deferred.errors) == ([], {})


def test_an_error_is_logged_again_when_it_is_another(capsys: pytest.CaptureFixture[str]) -> None:
    class OtherError(RetryableError):
        code = "other"

    deferred, clock = DeferredIntervals(), ManualClock(NOW_S * 1000)
    for error in (RetryableError("a"), RetryableError("b"), OtherError("c"), OtherError("d")):
        deferred.defer(FIRST, error, clock)
    assert "".join(capsys.readouterr()).count("an interval is tried again") == 2
    for _ in range(2):
        deferred.defer(FIRST, PermanentError("e"), clock)
    output = "".join(capsys.readouterr())
    assert output.count("needs a person") == 2 and "an interval is tried again" not in output
    clock.advance(ESCALATE_MS - 1)
    deferred.defer(FIRST, RetryableError("a"), clock)
    assert "needs a person" not in "".join(capsys.readouterr())
    clock.advance(1)
    deferred.defer(FIRST, RetryableError("a"), clock)
    output = "".join(capsys.readouterr())
    assert output.count("needs a person") == 1 and rfc3339_s(NOW_S) in output and rfc3339_s(FIRST) in output


async def test_what_was_stored_is_written_once(planned: Pool) -> None:
    """And again when another is deferred, or one is finished; the time since when stays."""
    deferred, clock, lease = DeferredIntervals(), ManualClock(NOW_S * 1000), await lead(planned)
    deferred.defer(FIRST, RetryableError("not now"), clock)
    await deferred.store(planned, lease, "settlement")
    await planned.execute("DELETE FROM deferred_intervals")
    await deferred.store(planned, lease, "settlement")
    deferred.finish(SECOND)
    await deferred.store(planned, lease, "settlement")
    assert await planned.fetchval("SELECT count(*) FROM deferred_intervals") == 0
    clock.advance(1_000)
    deferred.defer(FIRST, PermanentError("never"), clock)
    await deferred.store(planned, lease, "settlement")
    (row,) = await planned.fetch("SELECT start_at, stage, code, reason, since, tried_at FROM deferred_intervals")
    assert tuple(row) == (
        at_s(FIRST), "settlement", PermanentError.code, "never", at_s(NOW_S), at_s(NOW_S + 1),
    )  # fmt: skip
    deferred.finish(FIRST)
    await planned.execute("UPDATE intervals SET state = 'closed'")
    await deferred.store(planned, lease, "settlement")
    assert await planned.fetchval("SELECT count(*) FROM deferred_intervals") == 0


@pytest.mark.parametrize(
    ("stage", "state"),
    [("planning", "cleared"), ("settlement", "planned"), ("settlement", "settling"), ("reconcile", "closed")],
)
async def test_an_interval_is_named_as_long_as_it_is_the_stages(
    planned: Pool, db_url: str, stage: Stage, state: str
) -> None:
    await planned.execute("UPDATE intervals SET state = $1", state)
    deferred, clock, lease = DeferredIntervals(), ManualClock(NOW_S * 1000), await lead(planned)
    for _ in range(2):
        deferred.defer(FIRST, RetryableError("not now"), clock)
        await deferred.store(planned, lease, stage)
        assert await planned.fetchval("SELECT stage FROM deferred_intervals") == stage
        with pytest.raises(PermanentError, match=f"is {state}, {stage} fails since"):
            await doctor(db_url)
    await planned.execute("UPDATE intervals SET state = 'reconciled'")
    assert "all that ended are closed" in await doctor(db_url)
    deferred.finish(FIRST)
    await deferred.store(planned, lease, stage)
    assert await planned.fetchval("SELECT count(*) FROM deferred_intervals") == 0
