"""What a batch leaves beside its rows: metrics, log lines, and turns for other tasks while it is verified."""

import asyncio
from collections.abc import Callable
from itertools import groupby

import pytest
from prometheus_client import REGISTRY
from structlog.testing import capture_logs

from hub.clock import SystemClock
from hub.ingest import service
from hub.ingest.rows import columns_of
from hub.ingest.service import VERIFY_SLICE, Incoming
from hub.ingest.verify import verify
from hub.postgres.db import Pool
from support.rows.gateways import START_S, SealingGateway, owner_of, reading

RECEIVED_MS = (START_S + 3600) * 1000


async def store(pool: Pool, *payloads: bytes) -> service.Outcome:
    return await service.store_batch(
        pool, SystemClock(), [Incoming("pw.frame.gw-north", payload, 1, RECEIVED_MS) for payload in payloads]
    )


def counted(name: str, **labels: str) -> Callable[[], float]:
    """Returns a function that gives how much the metric grew since this call."""
    before = REGISTRY.get_sample_value(name, labels) or 0
    return lambda: (REGISTRY.get_sample_value(name, labels) or 0) - before


async def test_each_frame_and_reading_is_counted_by_what_became_of_it(pool: Pool, north: SealingGateway) -> None:
    declared, *frames = (frame.encode() for frame in north.frames(4, readings=2))
    grown = [counted("peerwatt_ingest_frames_total", outcome=o) for o in ("stored", "duplicate", "refused")]
    readings, released = counted("peerwatt_ingest_readings_total"), counted("peerwatt_ingest_released_readings_total")
    refused = counted("peerwatt_ingest_quarantined_total", code="malformed")
    await store(pool, *frames, frames[0], frames[1], b"", b"")
    assert [growth() for growth in grown] == [4, 2, 2]
    assert (readings(), released(), refused()) == (0, 0, 2)
    assert await service.release_waiting(pool) == 0
    assert REGISTRY.get_sample_value("peerwatt_ingest_waiting_frames") == 8
    await store(pool, declared)
    assert await service.release_waiting(pool) == 8
    assert REGISTRY.get_sample_value("peerwatt_ingest_waiting_frames") == 0
    assert (readings(), released()) == (0, 8)
    await store(pool, north.seal([north.reading(90)]).encode())
    assert readings() == 1


async def test_a_waiting_reading_that_contradicts_a_stored_one_is_not_counted_as_released(
    pool: Pool, north: SealingGateway
) -> None:
    released = counted("peerwatt_ingest_released_readings_total")
    declared = north.seal(north.declarations())
    await store(pool, north.seal([reading(0, 5)]).encode())
    contradiction = north.seal([reading(0, 5, import_wh=9999), reading(1, 5)])
    await store(pool, contradiction.encode())
    await store(pool, declared.encode())
    assert (await service.release_waiting(pool), released()) == (3, 2)
    row = await pool.fetchrow("SELECT code, payload, detail FROM quarantine")
    assert row is not None and (row["code"], row["payload"]) == ("register_conflict", contradiction.records[0])
    assert "stored with import 1015 Wh, export 505 Wh" in row["detail"]
    assert "record 0 says 9999 Wh, 505 Wh" in row["detail"]


async def test_what_is_refused_is_logged_with_its_reason(pool: Pool, north: SealingGateway) -> None:
    with capture_logs() as logged:
        await store(pool, b"")
    detail = await pool.fetchval("SELECT detail FROM quarantine")
    assert detail and logged == [
        {
            "event": "quarantined", "log_level": "warning", "gateway_id": "gw-north", "subject": "pw.frame.gw-north",
            "code": "malformed", "detail": detail,
        }
    ]  # fmt: skip


async def test_live_views_hear_every_figure_of_a_reading(pool: Pool, north: SealingGateway) -> None:
    frame = north.seal([*north.declarations(), reading(1, 5)])
    await store(pool, frame.encode())
    row = await pool.fetchrow("SELECT topic, participant_id, payload FROM outbox")
    assert row is not None and (row["topic"], row["participant_id"]) == ("reading", owner_of("METER_002"))
    assert row["payload"] == {
        "reading_id": frame.leaves[2].hex(), "meter_id": "METER_002", "slot_at": "2026-05-28T20:27:30Z",
        "active_power_w": 1080, "import_wh": 1015, "export_wh": 505,
    }  # fmt: skip


async def test_other_tasks_get_their_turn_while_a_batch_is_verified(
    pool: Pool, north: SealingGateway, monkeypatch: pytest.MonkeyPatch
) -> None:
    """After each slice; more often would cost time."""
    turns, verified_at = 0, list[int]()

    async def count_turns() -> None:
        nonlocal turns
        while True:
            turns += 1
            await asyncio.sleep(0)

    def verify_and_note(*args: object) -> object:
        verified_at.append(turns)
        return verify(*args)  # type: ignore[arg-type]

    monkeypatch.setattr(service, "verify", verify_and_note)
    frame = north.seal(north.declarations()).encode()
    other = asyncio.create_task(count_turns())
    await store(pool, *[frame] * (2 * VERIFY_SLICE + 1))
    other.cancel()
    assert [len(list(group)) for _, group in groupby(verified_at)] == [VERIFY_SLICE - 1, VERIFY_SLICE, 2]


def test_columns_have_the_width_that_was_asked_for() -> None:
    assert columns_of([(1, "a"), (2, "b")], 2) == [[1, 2], ["a", "b"]]
    assert columns_of([], 3) == [[], [], []]
    for rows, width in (([(1, 2)], 3), ([(1, 2, 3)], 2), ([(1, 2), (3,)], 2)):
        with pytest.raises(ValueError, match=r"values|shorter"):
            columns_of(rows, width)
