"""The coverage: what ends it, how copies join theirs, and that it never runs ahead of frames that are not stored."""

from dataclasses import replace
from datetime import timedelta

import pytest
from structlog.testing import capture_logs

from hub.clock import ManualClock, at_ms
from hub.ingest import repository
from hub.ingest.coverage import MAX_BREAK_MS, Coverage, CoverageRecorder, all_stored_ms, newest_coverage
from hub.postgres.db import Pool
from support.rows.gateways import SealingGateway
from support.servers.ingest import LIMITS, Ingest
from support.waiting import eventually

NOW_MS = 1_780_308_000_000
MAX_BREAK, DAY = timedelta(milliseconds=MAX_BREAK_MS), timedelta(days=1)


async def extend(pool: Pool, holder: str, after_ms: int) -> None:
    async with pool.acquire() as connection:
        await repository.extend_coverage(connection, holder, at_ms(NOW_MS + after_ms), MAX_BREAK, DAY)


async def coverage(pool: Pool) -> tuple[int, int]:
    """Returns begin and end of the newest coverage, in ms after NOW_MS."""
    async with pool.acquire() as connection:
        newest = await newest_coverage(connection)
    return newest.since_ms - NOW_MS, newest.seen_ms - NOW_MS


async def test_a_hub_that_never_took_frames_in_has_no_coverage(pool: Pool) -> None:
    async with pool.acquire() as connection:
        assert await newest_coverage(connection) == Coverage(0, 0)


@pytest.mark.parametrize(("after_ms", "since_ms"), [(MAX_BREAK_MS, 0), (MAX_BREAK_MS + 1, MAX_BREAK_MS + 1)])
async def test_a_break_begins_a_new_coverage(pool: Pool, after_ms: int, since_ms: int) -> None:
    await extend(pool, "one", 0)
    await extend(pool, "one", after_ms)
    assert await coverage(pool) == (since_ms, after_ms)


async def test_a_clock_that_was_set_back_takes_its_future_along(pool: Pool) -> None:
    await extend(pool, "one", 5_000)
    await extend(pool, "one", 1_000)
    assert await coverage(pool) == (1_000, 1_000), "the clock was set back: the future that it recorded is deleted"


async def test_copies_that_overlap_make_one_coverage_and_others_do_not(pool: Pool) -> None:
    await extend(pool, "gone", 0)
    for after_ms in range(0, 60_000, 5_000):
        await extend(pool, "one", 600_000 + after_ms)
    await extend(pool, "two", 656_000)
    assert await coverage(pool) == (600_000, 656_000)


@pytest.mark.parametrize(("after_ms", "holders"), [(8 * 86_400_000, ["gone", "one"]), (8 * 86_400_000 + 1, ["one"])])
async def test_coverages_that_ended_eight_days_ago_are_deleted(pool: Pool, after_ms: int, holders: list[str]) -> None:
    await CoverageRecorder(pool, "gone").record(NOW_MS)
    await CoverageRecorder(pool, "one").record(NOW_MS + after_ms)
    rows = await pool.fetch("SELECT holder FROM ingest_coverage ORDER BY holder")
    assert [row["holder"] for row in rows] == holders


async def test_a_coverage_is_written_once_a_second(pool: Pool) -> None:
    recorder = CoverageRecorder(pool, "one")
    for after_ms, seen_ms in ((0, 0), (999, 0), (1000, 1000), (1999, 1000), (2500, 2500), (3499, 2500), (3500, 3500)):
        await recorder.record(NOW_MS + after_ms)
        assert await coverage(pool) == (0, seen_ms)


async def test_a_coverage_that_was_not_written_is_written_with_the_next(
    pool: Pool, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def away(*_: object) -> None:
        raise OSError("the database is away")

    recorder = CoverageRecorder(pool, "one")
    with capture_logs() as logged, monkeypatch.context() as patch:
        patch.setattr(repository, "extend_coverage", away)
        await recorder.record(NOW_MS)
    assert logged == [{"event": "not written down", "log_level": "debug", "error": "the database is away"}]
    await recorder.record(NOW_MS + 1)
    assert await coverage(pool) == (1, 1)


@pytest.mark.parametrize(
    ("newest_ms", "unstored_ms", "stored_ms"),
    [
        (None, [], 100),
        (None, [97, 95], 95),
        (80, [], 80),
        (80, [90, 75], 75),
        (130, [], 100),
    ],
)
def test_what_is_being_stored_is_not_stored(newest_ms: int | None, unstored_ms: list[int], stored_ms: int) -> None:
    """The last case is a message of a server whose clock is ahead of the hub's."""
    assert all_stored_ms(100, newest_ms, unstored_ms) == stored_ms


async def test_a_coverage_begins_when_frames_are_taken_in_and_lasts_while_they_are(ingest: Ingest) -> None:
    clock = ManualClock(NOW_MS)
    ingest.clock = clock

    async def covered_to_now() -> bool:
        return (await coverage(ingest.pool))[1] == clock.ms - NOW_MS

    copy = await ingest.start()
    await eventually(covered_to_now, what="the first coverage")
    clock.advance(MAX_BREAK_MS)
    await eventually(covered_to_now, what="more of it")
    assert await coverage(ingest.pool) == (0, MAX_BREAK_MS)
    await ingest.kill(copy)
    clock.advance(3_600_000)
    await ingest.start()
    await eventually(covered_to_now, what="the second coverage")
    assert await coverage(ingest.pool) == (MAX_BREAK_MS + 3_600_000,) * 2


async def test_a_backlog_is_stored_before_the_coverage_includes_its_time(ingest: Ingest) -> None:
    north = SealingGateway("gw-north")
    await north.register(ingest.pool)
    async with ingest.nats.as_gateway("gw-north") as gateway:
        for frame in north.frames(80):
            await gateway.publish_frame(frame.encode())
    after_ms = ingest.clock.now_ms()

    async def covered() -> bool:
        return (await coverage(ingest.pool))[1] >= after_ms - NOW_MS

    await ingest.start(replace(LIMITS, lanes=1, batch=8))
    await eventually(covered, what="a coverage after the backlog")
    assert await ingest.count("frames") == 81
