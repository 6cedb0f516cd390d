"""Corrections on a real database: what comes late is attested as the next revision, with the money that follows."""

import secrets
from collections.abc import Sequence
from typing import Any
from uuid import UUID

import pytest

from hub.clock import at_s
from hub.market.corrections import write_utility_lines
from hub.metering import repository as metering
from hub.metering.corrections import repository
from hub.metering.corrections.repository import EnteredRegisters
from hub.metering.corrections.service import correct_next, enter_registers, mark_late
from hub.postgres.db import Pool
from hub.postgres.lease import LeaseLostError
from support.killed_calls import killed_after
from support.rows.site_rows import BOOT, add_readings, lead, lost_lease
from support.settlement.corrected_site import (
    ANNA,
    CLOCK,
    END_S,
    INTERVALS,
    LATE_SLOTS,
    LENGTH_S,
    SLOTS,
    START_S,
    add_late_site,
    correct,
    correct_one,
    energies,
    load,
    utility,
)


@pytest.fixture
async def site(pool: Pool) -> Pool:
    await add_late_site(pool)
    return pool


async def causes_of(pool: Pool, start_s: int, revision: int) -> list[tuple[Any, ...]]:
    """Cause, sequences, slots in s and number of readings, and detail, of a revision of Anna's meter."""
    rows = await pool.fetch(
        """
        SELECT cause, boot_id, first_sequence, last_sequence, extract(epoch FROM first_at)::int,
               extract(epoch FROM last_at)::int, readings, detail
        FROM correction_causes WHERE start_at = $1 AND revision = $2 AND meter_id = 'METER_001' ORDER BY position
        """,
        at_s(start_s),
        revision,
    )
    return [tuple(row) for row in rows]


async def test_what_comes_late_is_the_next_revision(site: Pool) -> None:
    assert await energies(site) == [(1, 900, 0, "valid"), *[(1, 0, 0, "missing")] * 3]
    first = await utility(site, ANNA)
    await add_readings(site, "METER_001", [load(slot_s) for slot_s in LATE_SLOTS])
    done = await correct(site)
    assert [(one.revision, one.meters) for one in done] == [(1, ()), *[(2, ("METER_001",))] * 3]
    assert await energies(site) == [(1, 900, 0, "valid"), *[(2, 900, 0, "valid")] * 3]
    assert await energies(site, "METER_002") == [(1, 0, 1800, "valid"), *[(2, 0, 1800, "valid")] * 3]
    assert (await utility(site, ANNA))[0] == first[0]
    assert (await utility(site, ANNA))[1:] == [(-900, -900 * 5000)] * 3, (
        "trades stand: what is missing is the utility's"
    )
    totals = await site.fetch("SELECT import_wh, export_wh FROM attestations WHERE revision = 2")
    assert [tuple(row) for row in totals] == [(900, 1800)] * 3
    events = await site.fetch("SELECT payload FROM outbox WHERE topic = 'interval' AND payload->>'revision' = '2'")
    assert len(events) == 3
    for start_s, first_s in ((START_S + LENGTH_S, START_S + LENGTH_S + 60), (END_S - LENGTH_S, END_S - LENGTH_S)):
        last_s = start_s + LENGTH_S
        late = ("late_readings", BOOT, first_s // 60, last_s // 60, first_s, last_s, (last_s - first_s) // 60 + 1, "")
        assert await causes_of(site, start_s, 2) == [late], "not the reading at 15 minutes, which was in time"
    assert await site.fetchval("SELECT count(*) FROM correction_causes") == 3, "Ben's energy did not change"


async def test_again_corrects_nothing(site: Pool) -> None:
    await add_readings(site, "METER_001", [load(slot_s) for slot_s in LATE_SLOTS])
    await correct(site)
    assert all(not one.meters for one in await correct(site)), "what was stored just before is looked at twice"
    assert await site.fetchval("SELECT count(*) FROM interval_marks") == 0


async def test_a_gap_that_ends_is_shared_out_over_all_of_its_intervals(site: Pool) -> None:
    """One reading at the end of the last interval: 2,700 Wh in three intervals, exactly."""
    await add_readings(site, "METER_001", [load(END_S)])
    await correct(site)
    rows = await energies(site)
    assert [row[3] for row in rows] == ["valid", *["estimated"] * 3]
    assert sum(row[1] for row in rows) == INTERVALS * LENGTH_S
    late = ("late_readings", BOOT, END_S // 60, END_S // 60, END_S, END_S, 1, "")
    for start_s in range(START_S + LENGTH_S, END_S, LENGTH_S):
        assert await causes_of(site, start_s, 2) == [late], "also where the reading is outside of the interval"


async def test_a_gap_that_ends_in_an_interval_that_is_not_attested_yet(site: Pool) -> None:
    """The reading is in time for its own interval, and tells what flowed in those before it."""
    await add_readings(site, "METER_001", [load(END_S + s) for s in (300, 360, 420)])
    await correct(site)
    rows = await energies(site)
    assert [row[3] for row in rows] == ["valid", *["estimated"] * 3]
    assert sum(row[1] for row in rows) == INTERVALS * LENGTH_S


async def test_a_doubt_that_lasts_marks_nothing_again_and_again(site: Pool) -> None:
    """The gap before it waits for its end: only the first of the readings in doubt comes after a gap."""
    await add_readings(site, "METER_001", [load(END_S + s) for s in (300, 360, 420)])
    await site.execute("UPDATE readings SET meter_state = 'E' WHERE slot_at > $1", at_s(END_S))
    await site.execute("UPDATE readings SET stored_at = now() - interval '1 day' WHERE slot_at = $1", at_s(END_S + 300))
    await mark_late(site, await lead(site), CLOCK)
    gap = "SELECT count(*) FROM interval_marks WHERE meter_id = 'METER_001' AND start_at >= $1"
    assert await site.fetchval(gap, at_s(START_S + 2 * LENGTH_S)) == 0


LATE = [LATE_SLOTS[part::3] for part in range(3)]


@pytest.mark.parametrize("order", [(0, 1, 2), (2, 0, 1), (1, 2, 0)])
async def test_the_order_of_arrival_changes_nothing_in_the_end(site: Pool, order: Sequence[int]) -> None:
    for part in order:
        await add_readings(site, "METER_001", [load(slot_s) for slot_s in LATE[part]])
        await correct(site)
    assert [row[1:] for row in await energies(site)] == [(900, 0, "valid")] * INTERVALS
    assert (await utility(site, ANNA))[1:] == [(-900, -900 * 5000)] * 3
    newest = await site.fetchval("SELECT max(revision) FROM attestations WHERE start_at = $1", at_s(END_S - LENGTH_S))
    last = [cause[6] for cause in await causes_of(site, END_S - LENGTH_S, newest)]
    assert last == [6], "of part 2, which has both ends of the interval: what came after it changed nothing"


@pytest.mark.parametrize(
    ("room", "step"),
    [
        (repository, "mark_late"), (repository, "save_looked_until"), (repository, "remove_marks"),
        (repository, "record_causes"),
        (metering, "insert_attestation"), (metering, "lock_interval"),
    ],
)  # fmt: skip
async def test_a_kill_anywhere_loses_nothing(site: Pool, room: Any, step: str) -> None:
    await add_readings(site, "METER_001", [load(slot_s) for slot_s in LATE_SLOTS])
    with killed_after(room, step):
        await correct(site)
    await correct(site)
    assert await energies(site) == [(1, 900, 0, "valid"), *[(2, 900, 0, "valid")] * 3]
    lines = await site.fetchval("SELECT count(*) FROM utility_lines WHERE revision = 2")
    assert lines == 3 * 2, "a line for each of two people in each of three intervals"


async def test_an_interval_that_still_changes_is_waited_for(site: Pool) -> None:
    await add_readings(site, "METER_001", [load(slot_s) for slot_s in LATE_SLOTS])
    lease = await lead(site)
    await mark_late(site, lease, CLOCK)
    waiting = await correct_next(site, lease, CLOCK, 60, None, write_utility_lines, secrets.token_bytes)
    assert waiting is None
    await site.execute("UPDATE interval_marks SET first_marked_at = now() - interval '11 minutes'")
    assert await correct_next(site, lease, CLOCK, 60, None, write_utility_lines, secrets.token_bytes) is not None


async def test_after_forty_days_nothing_is_corrected(site: Pool) -> None:
    """All readings count as late here; the last interval has one of each meter."""
    await add_readings(site, "METER_001", [load(END_S)])
    async with site.acquire() as connection:
        now_ms = await metering.database_now_ms(connection)
        for oldest_s, marked in ((END_S + 1, 0), (END_S, 2)):
            async with connection.transaction():
                count = await repository.mark_late(connection, 0, now_ms + 1, 0, oldest_s * 1000)
                assert count == marked
    assert await correct_one(site) is not None


async def test_an_interval_that_is_not_cleared_is_corrected_later(site: Pool) -> None:
    await add_readings(site, "METER_001", [load(slot_s) for slot_s in LATE_SLOTS])
    await site.execute("UPDATE intervals SET state = 'attested' WHERE start_at = $1", at_s(START_S + LENGTH_S))
    assert [one.start_s for one in await correct(site)] == [START_S, *range(START_S + 2 * LENGTH_S, END_S, LENGTH_S)]


async def test_a_leader_that_was_replaced_writes_nothing(site: Pool) -> None:
    await add_readings(site, "METER_001", [load(END_S)])
    await mark_late(site, await lead(site), CLOCK)
    await site.execute("UPDATE interval_marks SET first_marked_at = now() - interval '11 minutes'")
    stale = await lost_lease(site)
    with pytest.raises(LeaseLostError):
        await mark_late(site, stale, CLOCK)
    with pytest.raises(LeaseLostError):
        await correct_next(site, stale, CLOCK, 60, None, write_utility_lines, secrets.token_bytes)
    assert await site.fetchval("SELECT max(revision) FROM attestations") == 1


async def test_a_later_event_corrects_what_was_in_doubt(site: Pool) -> None:
    """Anna's meter was swapped: the first readings of the new one were in doubt until an event confirmed them."""
    swapped_s = START_S + LENGTH_S + 300
    old = [load(slot_s) for slot_s in SLOTS if START_S + LENGTH_S < slot_s < swapped_s]
    new = [(slot_s, 70_000_000 + slot_s - swapped_s, 0) for slot_s in SLOTS if slot_s >= swapped_s]
    await add_readings(site, "METER_001", [*old, *new])
    await site.execute(
        "UPDATE readings SET meter_state = 'X' WHERE meter_id = 'METER_001' AND slot_at >= $1", at_s(swapped_s)
    )
    await correct(site)
    assert [row[3] for row in await energies(site)] == ["valid", "estimated", "missing", "missing"]
    first, last = swapped_s // 60, END_S // 60
    await site.execute(
        """
        INSERT INTO meter_events VALUES ('METER_001', 'gw-north', $1, 1, 0, $2, 'swap', $3, $4, $5, $6, 70000000, 0, 0,
                                         0, 0, 'old', 'new')
        """,
        b"b" * 16, at_s(END_S), first - 1, first, last, load(swapped_s - 60)[1],
    )  # fmt: skip
    await correct(site)
    assert [row[1:] for row in await energies(site)] == [
        (900, 0, "valid"), (240 + 600, 0, "valid"), *[(900, 0, "valid")] * 2,
    ]  # fmt: skip
    swap = ("counter_event", BOOT, first, last, END_S, END_S, 0, "swap")
    assert await causes_of(site, START_S + LENGTH_S, 3) == [swap], "the event came long after the change"


async def test_registers_that_a_person_entered_close_a_change_that_nobody_saw(site: Pool) -> None:
    """Anna's meter was swapped while her gateway was off: 700 Wh before the swap and 1,400 after it are known again."""
    old_end, new_begin = 5000 + LENGTH_S + 700, 40
    await add_readings(site, "METER_001", [(END_S - 60, new_begin + 1340, 0), (END_S, new_begin + 1400, 0)])
    await add_readings(site, "METER_001", [(END_S + n * 60, new_begin + 1400 + 60 * n, 0) for n in range(1, 6)])
    await correct(site)
    assert "valid" not in [row[3] for row in await energies(site)][1:]
    user_id = UUID(int=7)
    await site.execute("INSERT INTO users VALUES ($1, 'op@campus.example', 'Op', NULL, 'operator')", user_id)
    registers = EnteredRegisters(old_end, new_begin, 0, 0, "swapped in the cellar")
    async with site.acquire() as connection, connection.transaction():
        _, marked = await enter_registers(
            connection, "METER_001", (START_S + LENGTH_S + 700) * 1000, registers, user_id, CLOCK
        )
    assert marked == 4, "the intervals between the readings around it, and the one that ends at the first"
    await correct(site)
    rows = await energies(site)
    assert sum(row[1] for row in rows) == 900 + 700 + 1400
    assert [row[3] for row in rows] == ["valid", *["estimated"] * 3]
    entered = ("entered_registers", None, None, None, *[START_S + LENGTH_S + 700] * 2, 0, "swapped in the cellar")
    assert await causes_of(site, END_S - LENGTH_S, 3) == [entered]
