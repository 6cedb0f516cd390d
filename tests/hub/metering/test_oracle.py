"""The oracle on a real database: when it attests, what it writes, and that a kill leaves nothing half written."""

import json
from hashlib import sha256
from uuid import UUID

import pytest

from edge.wire import merkle
from edge.wire.ladder import interval_leaf
from hub.clock import ManualClock, at_ms, at_s
from hub.ingest.coverage import Coverage
from hub.metering import repository
from hub.metering.oracle import OracleConfig, attest_due
from hub.postgres.db import Pool
from hub.postgres.lease import LeaseLostError
from support.killed_calls import killed_after
from support.rivals import another_comes_first
from support.rows.site_rows import (
    add_coverage,
    add_interval_energy,
    add_meter,
    add_participant,
    add_readings,
    lead,
    lost_lease,
)

START_S = 1_780_308_000
LENGTH_S, GRACE_S = 900, 120
END_S = START_S + LENGTH_S
FAR_MS = START_S * 2000
CONFIG = OracleConfig(interval_s=LENGTH_S, poll_period_s=60, grace_s=GRACE_S, coverage=Coverage(0, FAR_MS))
ADA, BEN = UUID(int=1), UUID(int=2)


def clock_at(second: int) -> ManualClock:
    return ManualClock(second * 1000)


@pytest.fixture
async def site(pool: Pool) -> Pool:
    """Two participants with a meter each, expected from the first interval on, and a hub that was never away."""
    await add_coverage(pool, 0, FAR_MS // 1000)
    for number, person in enumerate((ADA, BEN), start=1):
        await add_participant(pool, person)
        await add_meter(pool, f"METER_00{number}", person, expected_from_s=START_S)
    return pool


async def energy_rows(pool: Pool) -> list[tuple[object, ...]]:
    rows = await pool.fetch(
        "SELECT meter_id, import_wh, export_wh, quality, rules FROM interval_readings ORDER BY start_at, meter_id"
    )
    return [tuple(row) for row in rows]


async def test_attests_as_soon_as_every_meter_is_in(site: Pool) -> None:
    await add_interval_energy(site, "METER_001", START_S, LENGTH_S, (100, 1000))
    await add_interval_energy(site, "METER_002", START_S, LENGTH_S, (500, 0))
    lease = await lead(site)
    assert await attest_due(site, lease, clock_at(END_S - 1), CONFIG) == []
    (interval,) = await attest_due(site, lease, clock_at(END_S), CONFIG)
    assert (interval.start_s, interval.meters_valid, interval.meters_estimated) == (START_S, 2, 0)
    assert await energy_rows(site) == [
        ("METER_001", 100, 1000, "valid", []),
        ("METER_002", 500, 0, "valid", []),
    ]
    attestation = await site.fetchrow(
        """
        SELECT start_at, revision, merkle_root, meters_valid, meters_estimated, import_wh, export_wh, attested_at,
               final_at, refusal
        FROM attestations
        """
    )
    assert attestation is not None
    assert (attestation["revision"], attestation["import_wh"], attestation["export_wh"]) == (1, 600, 1000)
    assert await site.fetchval("SELECT state FROM intervals WHERE start_at = $1", at_s(START_S)) == "attested"
    announced = await site.fetchval("SELECT payload::text FROM outbox WHERE topic = 'interval'")
    assert json.loads(announced) == {
        "start_at": "2026-06-01T10:00:00Z",
        "end_at": "2026-06-01T10:15:00Z",
        "revision": 1,
        "meters_valid": 2,
        "meters_estimated": 0,
        "import_wh": 600,
        "export_wh": 1000,
    }


async def test_what_is_attested_is_stored_in_leaf_order(site: Pool) -> None:
    """Each column holds its own value: METER_001 was read, METER_002 was not."""
    await add_interval_energy(site, "METER_001", START_S, LENGTH_S, (100, 1000))
    secrets = iter([b"1" * 16, b"2" * 16])
    (interval,) = await attest_due(
        site, await lead(site), clock_at(END_S + GRACE_S), CONFIG, random_bytes=lambda _: next(secrets)
    )
    assert (interval.start_s, interval.end_s, interval.meters_valid, interval.meters_estimated) == (
        START_S, END_S, 1, 1,
    )  # fmt: skip
    first, last = (sha256(f"METER_001/{slot_s}".encode()).digest() for slot_s in (START_S, END_S))
    rows = await site.fetch("SELECT * FROM interval_readings ORDER BY leaf_index")
    assert [tuple(row) for row in rows] == [
        (at_s(START_S), 1, "METER_001", ADA, 0, 100, 1000, "valid", [], first, last, b"1" * 16),
        (at_s(START_S), 1, "METER_002", BEN, 1, 0, 0, "missing", ["gap", "not_measured"], None, None, b"2" * 16),
    ]
    leaves = [
        interval_leaf(START_S, END_S, "METER_001", 100, 1000, "valid", b"1" * 16),
        interval_leaf(START_S, END_S, "METER_002", 0, 0, "missing", b"2" * 16),
    ]
    attestation = await site.fetchrow(
        """
        SELECT start_at, revision, merkle_root, meters_valid, meters_estimated, import_wh, export_wh, attested_at,
               final_at, refusal
        FROM attestations
        """
    )
    assert attestation is not None
    assert tuple(attestation) == (
        at_s(START_S), 1, merkle.root(leaves), 1, 1, 100, 1000, at_s(END_S + GRACE_S), None, None
    )  # fmt: skip
    stored = await site.fetchrow("SELECT start_at, end_at, state, attested_at FROM intervals")
    assert stored is not None
    assert tuple(stored) == (at_s(START_S), at_s(END_S), "attested", at_s(END_S + GRACE_S))


async def test_a_start_that_was_not_read_lies_between_its_neighbours(site: Pool) -> None:
    """The earlier neighbour may be an hour away."""
    await site.execute("UPDATE meters SET status = 'retired' WHERE meter_id = 'METER_002'")
    slots = [START_S - 3600, *range(START_S + 60, END_S + 1, 60)]
    await add_readings(site, "METER_001", [(s, 4600 + (s - START_S), 0) for s in slots])
    await attest_due(site, await lead(site), clock_at(END_S + GRACE_S), CONFIG)
    assert await energy_rows(site) == [("METER_001", 900, 0, "estimated", ["gap", "boundary_shared"])]


async def test_a_first_meter_in_the_middle_of_a_second_waits_for_a_whole_interval(site: Pool) -> None:
    late = at_ms(START_S * 1000 + 1)
    await site.execute("UPDATE meters SET expected_from = $1", late)
    clock = clock_at(END_S + LENGTH_S + GRACE_S)
    (interval,) = await attest_due(site, await lead(site), clock, CONFIG)
    assert interval.start_s == END_S


async def test_an_interval_that_another_process_attested_ends_the_round(site: Pool) -> None:
    with another_comes_first(repository, "insert_interval"):
        assert await attest_due(site, await lead(site), clock_at(END_S + GRACE_S), CONFIG) == []
    assert await site.fetchval("SELECT count(*) FROM interval_readings") == 0


async def test_again_changes_nothing(site: Pool) -> None:
    for meter in ("METER_001", "METER_002"):
        await add_interval_energy(site, meter, START_S, LENGTH_S, (100, 0))
    lease = await lead(site)
    await attest_due(site, lease, clock_at(END_S), CONFIG)
    assert await attest_due(site, lease, clock_at(END_S), CONFIG) == []
    assert await site.fetchval("SELECT count(*) FROM interval_readings") == 2


async def test_waits_the_grace_for_a_missing_meter_then_estimates_it(site: Pool) -> None:
    lease = await lead(site)
    for meter in ("METER_001", "METER_002"):
        await add_interval_energy(site, meter, START_S, LENGTH_S, (70, 30))
    await attest_due(site, lease, clock_at(END_S), CONFIG)
    await add_interval_energy(site, "METER_001", END_S, LENGTH_S, (100, 1000))
    assert await attest_due(site, lease, clock_at(END_S + LENGTH_S + GRACE_S - 1), CONFIG) == []
    (interval,) = await attest_due(site, lease, clock_at(END_S + LENGTH_S + GRACE_S), CONFIG)
    assert (interval.meters_valid, interval.meters_estimated) == (1, 1)
    assert (await energy_rows(site))[2:] == [
        ("METER_001", 100, 1000, "valid", []),
        ("METER_002", 0, 0, "missing", ["gap", "not_measured"]),
    ]
    totals = await site.fetchrow("SELECT import_wh, export_wh FROM attestations WHERE start_at = $1", at_s(END_S))
    assert totals is not None and tuple(totals) == (100, 1000)


async def test_what_nobody_measured_is_like_earlier_days_and_exports_nothing(site: Pool) -> None:
    """Two days had 70 and 101 Wh at this time; an estimate is never the basis of another."""
    lease, day_s = await lead(site), 86_400
    await site.execute("UPDATE meters SET status = 'retired' WHERE meter_id = 'METER_002'")
    for day, (before_wh, import_wh) in enumerate(((1000, 70), (1070, 101))):
        await add_readings(site, "METER_001", [(START_S + day * day_s, before_wh, 1000 + 30 * day)])
        await add_interval_energy(site, "METER_001", START_S + day * day_s, LENGTH_S, (import_wh, 30))
    later = clock_at(START_S + 3 * day_s + LENGTH_S + GRACE_S)
    while await attest_due(site, lease, later, CONFIG):
        pass
    rows = await site.fetch(
        "SELECT import_wh, export_wh, quality, rules FROM interval_readings WHERE start_at = ANY($1) ORDER BY start_at",
        [at_s(START_S + day * day_s) for day in range(4)],
    )
    assert [tuple(row) for row in rows] == [
        (70, 30, "valid", []), (101, 30, "valid", []), *[(85, 0, "estimated", ["gap", "not_measured"])] * 2,
    ]  # fmt: skip


async def test_the_grace_begins_when_the_hub_is_back(site: Pool) -> None:
    """After an outage of the hub, frames that waited at gateways have time to arrive before anything is estimated."""
    lease = await lead(site)
    back_s = END_S + 5 * LENGTH_S
    await site.execute("UPDATE ingest_coverage SET since_at = $1", at_s(back_s))
    config = OracleConfig(LENGTH_S, 60, GRACE_S, Coverage(back_s * 1000, FAR_MS))
    assert await attest_due(site, lease, clock_at(back_s + GRACE_S - 1), config) == []
    for meter in ("METER_001", "METER_002"):
        await add_interval_energy(site, meter, START_S, LENGTH_S, (1, 0))
    (interval,) = await attest_due(site, lease, clock_at(back_s + GRACE_S - 1), config)
    assert interval.meters_valid == 2
    intervals = await attest_due(site, lease, clock_at(back_s + GRACE_S), config)
    assert [later.start_s for later in intervals] == [START_S + n * LENGTH_S for n in range(1, 6)]


async def test_the_grace_runs_only_while_frames_are_taken_in(site: Pool) -> None:
    """The oracle may run on while NATS or the database does not answer."""
    lease, late = await lead(site), clock_at(END_S + 50 * GRACE_S)
    for grace_ms, count in ((GRACE_S * 1000 - 1, 0), (GRACE_S * 1000, 1)):
        seen_ms = END_S * 1000 + grace_ms
        await site.execute("UPDATE ingest_coverage SET seen_at = $1", at_ms(seen_ms))
        config = OracleConfig(LENGTH_S, 60, GRACE_S, Coverage(0, seen_ms))
        intervals = await attest_due(site, lease, late, config)
        assert [interval.meters_estimated for interval in intervals] == [2] * count


async def test_nothing_is_attested_ahead_of_what_was_taken_in(site: Pool) -> None:
    """A worker whose clock is an hour ahead, with all readings there by some chance."""
    for meter in ("METER_001", "METER_002"):
        await add_interval_energy(site, meter, START_S, LENGTH_S, (70, 30))
    lease, ahead = await lead(site), clock_at(END_S + 3600)
    for seen_ms, count in ((END_S * 1000 - 1, 0), (END_S * 1000, 1)):
        config = OracleConfig(LENGTH_S, 60, GRACE_S, Coverage(0, seen_ms))
        assert len(await attest_due(site, lease, ahead, config)) == count


async def test_catching_up_is_bounded(site: Pool) -> None:
    lease = await lead(site)
    clock = clock_at(START_S + 10 * LENGTH_S)
    assert len(await attest_due(site, lease, clock, CONFIG, limit=3)) == 3
    assert len(await attest_due(site, lease, clock, CONFIG, limit=3)) == 3


async def test_a_meter_is_expected_from_its_first_whole_interval(site: Pool) -> None:
    await add_meter(site, "METER_003", ADA, expected_from_s=START_S + 1)
    await site.execute("UPDATE meters SET status = 'retired' WHERE meter_id = 'METER_002'")
    await add_interval_energy(site, "METER_001", START_S, 2 * LENGTH_S, (100, 0))
    await add_interval_energy(site, "METER_003", END_S, LENGTH_S, (9, 0))
    lease = await lead(site)
    await attest_due(site, lease, clock_at(END_S + LENGTH_S), CONFIG)
    assert [row[0] for row in await energy_rows(site)] == ["METER_001", "METER_001", "METER_003"]


async def test_the_first_interval_starts_when_the_first_meter_is_expected(pool: Pool) -> None:
    lease = await lead(pool)
    await add_coverage(pool, 0, FAR_MS // 1000)
    assert await attest_due(pool, lease, clock_at(END_S + GRACE_S), CONFIG) == []
    await add_participant(pool, ADA)
    await add_meter(pool, "METER_001", ADA, expected_from_s=START_S - LENGTH_S + 1)
    (interval,) = await attest_due(pool, lease, clock_at(END_S + GRACE_S), CONFIG)
    assert interval.start_s == START_S


async def test_an_interpolated_boundary_waits_for_the_reading_of_the_slot(site: Pool) -> None:
    await site.execute("UPDATE meters SET status = 'retired' WHERE meter_id = 'METER_002'")
    lease = await lead(site)
    slots = [s for s in range(START_S, END_S + 61, 60) if s != END_S]
    await add_readings(site, "METER_001", [(s, 1000 + (s - START_S), 0) for s in slots[:-1]])
    # the last minute brings 120 Wh, of which 110 before the boundary
    await add_readings(site, "METER_001", [(END_S + 60, 1000 + 840 + 120, 0)])
    assert await attest_due(site, lease, clock_at(END_S + 61), CONFIG) == []
    await add_readings(site, "METER_001", [(END_S, 1000 + 840 + 110, 0)])
    await attest_due(site, lease, clock_at(END_S + 61), CONFIG)
    assert (await energy_rows(site))[0][1] == 950


async def test_a_leader_that_was_replaced_writes_nothing(site: Pool) -> None:
    stale = await lost_lease(site)
    with pytest.raises(LeaseLostError):
        await attest_due(site, stale, clock_at(END_S + GRACE_S), CONFIG)
    assert await site.fetchval("SELECT count(*) FROM intervals") == 0


@pytest.mark.parametrize("step", ["insert_interval", "insert_attestation"])
async def test_killed_between_two_writes_leaves_nothing(site: Pool, step: str) -> None:
    lease = await lead(site)
    with killed_after(repository, step):
        await attest_due(site, lease, clock_at(END_S + GRACE_S), CONFIG)
    assert await site.fetchval("SELECT count(*) FROM intervals") == 0
    assert len(await attest_due(site, lease, clock_at(END_S + GRACE_S), CONFIG)) == 1
