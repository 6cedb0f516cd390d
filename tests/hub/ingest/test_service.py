"""Batches into a real database: what is stored, what waits, what is refused, and that nothing is stored twice."""

import asyncio
import random
from collections.abc import Sequence

import pytest

from edge.wire.frames import Frame
from edge.wire.kinds import Gap, Record
from hub.clock import SystemClock
from hub.ingest import service
from hub.ingest.service import Incoming, Outcome
from hub.postgres.db import Pool
from support.rows.gateways import SealingGateway, assign, declaration, owner_of, reading


def message(payload: bytes | Frame, gateway_id: str = "gw-north") -> Incoming:
    now = SystemClock().now_ms()
    return Incoming(f"pw.frame.{gateway_id}", payload if isinstance(payload, bytes) else payload.encode(), now, now)


async def store(pool: Pool, frames: Sequence[bytes | Frame], gateway_id: str = "gw-north") -> Outcome:
    return await service.store_batch(pool, SystemClock(), [message(frame, gateway_id) for frame in frames])


async def contents(pool: Pool) -> tuple[list[tuple[object, ...]], ...]:
    """Everything that ingest stores, without the times of storing."""
    queries = (
        "SELECT gateway_id, boot_id, sequence, header_hash, header, signature, body FROM frames ORDER BY 1, 2, 3",
        "SELECT reading_id, meter_id, slot_at, read_at, import_wh, export_wh, record_index FROM readings ORDER BY 1",
        "SELECT subject, gateway_id, code, payload FROM quarantine ORDER BY payload_hash, code",
        "SELECT gateway_id, boot_id, sequence, meter_index FROM waiting_frames ORDER BY 1, 2, 3, 4",
        "SELECT gateway_id, boot_id, meter_index, meter_id FROM meter_declarations ORDER BY 1, 2, 3",
    )
    tables = [await pool.fetch(query) for query in queries]
    return tuple([tuple(row) for row in rows] for rows in tables)


async def codes(pool: Pool) -> list[str]:
    return [row["code"] for row in await pool.fetch("SELECT code FROM quarantine ORDER BY code")]


async def test_readings_are_stored_with_their_meter_and_their_frame(pool: Pool, north: SealingGateway) -> None:
    frames = north.frames(2)
    outcome = await store(pool, frames)
    assert (outcome.new_frames, outcome.new_readings, outcome.refused) == (3, 12, set())
    assert outcome.new_declarations
    row = await pool.fetchrow(
        "SELECT r.*, f.header_hash FROM readings r JOIN frames f ON (f.gateway_id, f.boot_id, f.sequence) "
        "= (r.gateway_id, r.boot_id, r.frame_sequence) WHERE reading_id = $1",
        frames[2].leaves[3],
    )
    assert row is not None
    assert (row["meter_id"], row["import_wh"], row["export_wh"]) == ("METER_002", 1012, 504)
    assert (row["record_index"], row["header_hash"]) == (3, frames[2].header_hash)
    assert (row["read_at"] - row["slot_at"]).total_seconds() == 0.12


async def test_a_frame_is_stored_as_it_was_sent(pool: Pool, north: SealingGateway) -> None:
    frame = north.frames(1)[1]
    await store(pool, [frame])
    row = await pool.fetchrow("SELECT header, signature, body FROM frames")
    assert row is not None and Frame(row["header"], row["signature"], row["body"]).encode() == frame.encode()


async def test_every_frame_three_times_in_random_order_changes_nothing(pool: Pool, north: SealingGateway) -> None:
    frames = north.frames(40)
    await store(pool, frames)
    expected = await contents(pool)
    await pool.execute("TRUNCATE frames, waiting_frames, readings, meter_declarations, outbox CASCADE")
    mixed = [frame for frame in frames for _ in range(3)]
    random.Random(7).shuffle(mixed)
    batches = [mixed[i : i + 17] for i in range(0, len(mixed), 17)]
    await asyncio.gather(*(store(pool, batch) for batch in batches))
    while await service.release_waiting(pool):
        pass
    assert await contents(pool) == expected
    assert len(expected[1]) == 240 and expected[2] == expected[3] == []


async def test_one_bad_frame_does_not_spoil_its_neighbours(pool: Pool, north: SealingGateway) -> None:
    first, second, third = north.frames(2)
    flipped = bytearray(second.encode())
    flipped[-5] ^= 1
    outcome = await store(pool, [first, bytes(flipped), third])
    assert outcome.refused == {1}
    assert (outcome.new_frames, outcome.new_readings) == (2, 6)
    row = await pool.fetchrow("SELECT * FROM quarantine")
    assert row is not None and (row["payload"], row["gateway_id"]) == (bytes(flipped), "gw-north")


async def test_readings_wait_for_their_meter_to_be_declared(pool: Pool, north: SealingGateway) -> None:
    declared, *frames = north.frames(3)
    outcome = await store(pool, frames)
    assert (outcome.new_frames, outcome.new_readings, outcome.new_declarations) == (3, 0, False)
    assert outcome.stored["gw-north"], "the gateway gets its receipt: the frames are stored"
    assert await service.release_waiting(pool) == 0
    await store(pool, [declared])
    assert await service.release_waiting(pool) == 18
    assert await pool.fetchval("SELECT count(*) FROM readings") == 18
    assert await pool.fetchval("SELECT count(*) FROM waiting_frames") == 0
    assert await codes(pool) == []


async def test_readings_wait_for_their_meter_to_be_assigned(pool: Pool) -> None:
    gateway = SealingGateway("gw-north", meters=("METER_001", "METER_009"))
    await gateway.register(pool, meters=False)
    await assign(pool, "METER_001", "gw-north")
    outcome = await store(pool, gateway.frames(2))
    assert outcome.new_readings == 6
    row = await pool.fetchrow("SELECT code, detail FROM quarantine")
    assert row is not None and row["code"] == "meter_unknown" and "assign it at the hub" in row["detail"]
    await assign(pool, "METER_009", "gw-north")
    assert await service.release_waiting(pool) == 6
    assert await pool.fetchval("SELECT count(*) FROM readings WHERE meter_id = 'METER_009'") == 6


async def test_a_meter_of_another_gateway_is_not_taken_over(pool: Pool, north: SealingGateway) -> None:
    south = SealingGateway("gw-south", meters=("METER_001",))
    await south.register(pool, meters=False)
    outcome = await store(pool, south.frames(1), "gw-south")
    assert outcome.new_readings == 0
    assert await codes(pool) == ["meter_unknown"]


async def test_two_frames_under_one_key_are_equivocation(pool: Pool, north: SealingGateway) -> None:
    first, second = north.frames(1)
    other = north.seal([north.reading(77)], sequence=second.header.sequence)
    outcome = await store(pool, [first, second, other, second])
    assert outcome.refused == {2}, "within a batch"
    third = north.seal([north.reading(79)])
    outcome = await store(pool, [other, third, first])
    assert (outcome.refused, outcome.new_frames, outcome.new_readings) == ({0}, 1, 1), "what follows it is stored"
    assert [row.sequence for row in outcome.stored["gw-north"]] == [3, 1]
    again = north.seal([north.reading(78)], sequence=second.header.sequence)
    outcome = await store(pool, [again])
    assert outcome.refused == {0}, "against what is stored"
    assert await pool.fetchval("SELECT header_hash FROM frames WHERE sequence = 2") == second.header_hash
    assert await codes(pool) == ["equivocation", "equivocation"], "the same one again is no news"
    assert await pool.fetchval("SELECT flagged_at IS NOT NULL FROM gateways")


async def test_the_same_moment_with_other_registers_is_a_conflict(pool: Pool, north: SealingGateway) -> None:
    await store(pool, [north.seal(north.declarations()), north.seal([reading(0, 5), reading(1, 5)])])
    contradiction = north.seal([reading(0, 5, import_wh=9999), reading(0, 6)])
    outcome = await store(pool, [contradiction])
    assert (outcome.refused, outcome.new_readings) == (set(), 1)
    row = await pool.fetchrow("SELECT * FROM quarantine")
    assert row is not None and (row["code"], row["payload"]) == ("register_conflict", contradiction.records[0])
    assert await pool.fetchval("SELECT flagged_at IS NOT NULL FROM gateways")
    assert await pool.fetchval("SELECT import_wh FROM readings WHERE meter_id = 'METER_001' ORDER BY slot_at") == 1015


async def test_a_reading_that_is_refused_is_not_announced(pool: Pool, north: SealingGateway) -> None:
    await store(pool, [north.seal(north.declarations()), north.seal([reading(0, 5), reading(1, 5)])])
    await pool.execute("DELETE FROM outbox")
    await store(pool, [north.seal([reading(0, 5, import_wh=9999)])])
    assert await pool.fetchval("SELECT count(*) FROM outbox") == 0
    await store(pool, [north.seal([reading(0, 6), reading(1, 6), reading(0, 5, import_wh=8888)])])
    rows = await pool.fetch("SELECT payload FROM outbox ORDER BY sequence")
    assert [row["payload"]["import_wh"] for row in rows] == [1018, 1018]


async def test_two_readings_of_one_moment_are_kept_both(pool: Pool, north: SealingGateway) -> None:
    """The gateway's clock may have been set back between them; the order is that of their sequences."""
    early = reading(0, 5, read_offset_ms=10_000)
    late = reading(0, 6, read_offset_ms=0, import_wh=1)
    assert early.slot_s * 1000 + 10_000 == late.slot_s * 1000
    outcome = await store(pool, [north.seal([*north.declarations(), early, late])])
    assert outcome.new_readings == 2
    assert await codes(pool) == []
    assert not await pool.fetchval("SELECT flagged_at IS NOT NULL FROM gateways")


async def test_a_conflict_inside_one_frame_keeps_the_first(pool: Pool, north: SealingGateway) -> None:
    frame = north.seal([*north.declarations(), reading(0, 5), reading(0, 5, import_wh=9999)])
    assert (await store(pool, [frame])).new_readings == 1
    assert await codes(pool) == ["register_conflict"]


async def test_the_same_registers_again_are_no_conflict(pool: Pool, north: SealingGateway) -> None:
    """One sequence twice within a boot; in another boot the same sequence is another reading."""
    again = SealingGateway("gw-north", key=north.key)
    await store(pool, [north.seal([*north.declarations(), reading(0, 5)]), north.seal([reading(0, 5, flags=1)])])
    outcome = await store(pool, [again.seal([*again.declarations(), reading(0, 5, import_wh=1), reading(0, 6)])])
    assert outcome.new_frames == 1
    assert await codes(pool) == []
    assert await pool.fetchval("SELECT count(*) FROM readings") == 3
    assert not await pool.fetchval("SELECT flagged_at IS NOT NULL FROM gateways")


async def test_a_meter_index_keeps_its_meaning(pool: Pool, north: SealingGateway) -> None:
    await store(pool, [north.seal(north.declarations())])
    await store(pool, [north.seal([declaration(0, "METER_002"), reading(0, 1)])])
    assert await codes(pool) == ["meter_index_reused"]
    assert await pool.fetchval("SELECT meter_id FROM readings") == "METER_001"


async def test_gaps_are_kept(pool: Pool, north: SealingGateway) -> None:
    gap: Record = Gap(at_ms=1, boot_id=north.boot_id, first=3, last=9, reason="disk full")
    await store(pool, [north.seal([gap])])
    row = await pool.fetchrow("SELECT * FROM declared_gaps")
    assert row is not None and (row["first_sequence"], row["last_sequence"], row["reason"]) == (3, 9, "disk full")


async def test_live_views_hear_the_newest_reading_of_each_meter(pool: Pool, north: SealingGateway) -> None:
    await store(pool, north.frames(3))
    rows = await pool.fetch("SELECT topic, participant_id, payload FROM outbox ORDER BY sequence")
    assert [(row["topic"], row["payload"]["meter_id"]) for row in rows] == [
        ("reading", "METER_001"),
        ("reading", "METER_002"),
    ]
    assert [row["participant_id"] for row in rows] == [owner_of("METER_001"), owner_of("METER_002")]
    assert rows[0]["payload"]["import_wh"] == 1000 + 3 * 8


async def test_a_batch_is_stored_whole_or_not_at_all(pool: Pool, north: SealingGateway) -> None:
    await pool.execute(
        "CREATE FUNCTION fail() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE 'disk full'; END $$;"
        "CREATE TRIGGER fail BEFORE INSERT ON outbox EXECUTE FUNCTION fail()"
    )
    frames = north.frames(1)
    with pytest.raises(Exception, match="disk full"):
        await store(pool, frames)
    assert await contents(pool) == ([], [], [], [], [])
    await pool.execute("DROP TRIGGER fail ON outbox")
    assert (await store(pool, frames)).new_readings == 6
