"""Over which time frames were taken in: what breaks a coverage, and that waiting frames belong to no coverage."""

from dataclasses import replace
from datetime import timedelta

import pytest

from hub.clock import ManualClock, at_ms
from hub.ingest import repository
from hub.ingest.coverage import LAPSE_MS, Coverage, all_stored_ms, newest_coverage
from hub.postgres.db import Pool
from support.rows.gateways import SealingGateway
from support.servers.ingest import LIMITS, Ingest
from support.waiting import eventually

NOW_MS = 1_780_308_000_000
LAPSE, DAY = timedelta(milliseconds=LAPSE_MS), timedelta(days=1)


async def say(pool: Pool, holder: str, after_ms: int) -> None:
    async with pool.acquire() as connection:
        await repository.extend_coverage(connection, holder, at_ms(NOW_MS + after_ms), LAPSE, DAY)


async def coverage(pool: Pool) -> tuple[int, int]:
    async with pool.acquire() as connection:
        found = await newest_coverage(connection)
    return found.since_ms - NOW_MS, found.seen_ms - NOW_MS


async def test_a_hub_that_never_took_frames_in_has_no_stretch(pool: Pool) -> None:
    async with pool.acquire() as connection:
        assert await newest_coverage(connection) == Coverage(0, 0)


@pytest.mark.parametrize(("after_ms", "since_ms"), [(LAPSE_MS, 0), (LAPSE_MS + 1, LAPSE_MS + 1)])
async def test_a_break_begins_a_new_stretch(pool: Pool, after_ms: int, since_ms: int) -> None:
    await say(pool, "one", 0)
    await say(pool, "one", after_ms)
    assert await coverage(pool) == (since_ms, after_ms)


async def test_what_was_seen_earlier_shortens_nothing(pool: Pool) -> None:
    await say(pool, "one", 5_000)
    await say(pool, "one", 1_000)
    assert await coverage(pool) == (5_000, 5_000)


async def test_copies_that_overlap_make_one_stretch_and_others_do_not(pool: Pool) -> None:
    await say(pool, "gone", 0)
    for after_ms in range(0, 60_000, 5_000):
        await say(pool, "one", 600_000 + after_ms)
    await say(pool, "two", 656_000)
    assert await coverage(pool) == (600_000, 656_000)


async def test_copies_of_long_ago_are_forgotten(pool: Pool) -> None:
    await say(pool, "gone", 0)
    await say(pool, "one", 86_400_001)
    assert [row["holder"] for row in await pool.fetch("SELECT holder FROM ingest_coverage")] == ["one"]


@pytest.mark.parametrize(
    ("newest_ms", "held_ms", "stored_ms"),
    [
        (None, [], 100),
        (None, [97, 95], 95),
        (80, [], 80),
        (80, [90, 75], 75),
        (130, [], 100),
    ],
)
def test_what_is_being_stored_is_not_stored(newest_ms: int | None, held_ms: list[int], stored_ms: int) -> None:
    """The last: a message of a server whose clock is ahead of ours."""
    assert all_stored_ms(100, newest_ms, held_ms) == stored_ms


async def test_a_stretch_begins_when_frames_are_heard_and_lasts_while_they_are(ingest: Ingest) -> None:
    clock = ManualClock(NOW_MS)
    ingest.clock = clock

    async def taking_in() -> bool:
        return (await coverage(ingest.pool))[1] == clock.ms - NOW_MS

    copy = await ingest.start()
    await eventually(taking_in, what="the first coverage")
    clock.advance(LAPSE_MS)
    await eventually(taking_in, what="more of it")
    assert await coverage(ingest.pool) == (0, LAPSE_MS)
    await ingest.kill(copy)
    clock.advance(3_600_000)
    await ingest.start()
    await eventually(taking_in, what="the second coverage")
    assert await coverage(ingest.pool) == (LAPSE_MS + 3_600_000,) * 2


async def test_frames_that_waited_are_stored_before_anybody_says_they_were_seen(ingest: Ingest) -> None:
    north = SealingGateway("gw-north")
    await north.register(ingest.pool)
    async with ingest.nats.as_gateway("gw-north") as gateway:
        for frame in north.frames(80):
            await gateway.publish_frame(frame.encode())
    after_ms = ingest.clock.now_ms()

    async def seen() -> bool:
        return (await coverage(ingest.pool))[1] >= after_ms - NOW_MS

    await ingest.start(replace(LIMITS, lanes=1, batch=8))
    await eventually(seen, seconds=20, what="a coverage after the backlog")
    assert await ingest.count("frames") == 81
