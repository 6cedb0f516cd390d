"""The rows that `trace` finds of one reading, by the index."""

import json
from pathlib import Path

from hub.clock import at_s, rfc3339_s
from hub.operations import repository
from hub.operations.trace import hops_of
from hub.postgres.db import Pool
from support.rows.revisions import add_revision
from support.rows.seed import END_S, INTERVAL_S, START_S, seed_campus

ROOT = Path(__file__).resolve().parents[3]


async def test_a_reading_is_shown_when_its_own_interval_was_reconciled(pool: Pool) -> None:
    """Intervals are reconciled in any order, and many in one second."""
    async with pool.acquire() as connection:
        campus = await seed_campus(connection)
        await connection.execute("DELETE FROM outbox")
        for seconds, start_s in enumerate((START_S + INTERVAL_S, START_S, START_S - INTERVAL_S)):
            await connection.execute(
                "INSERT INTO outbox (at, topic, payload) VALUES ($1, 'reconciled', $2)",
                at_s(END_S + 20 + seconds),
                {"start_at": rfc3339_s(start_s), "lines": 3},
            )
        trace = await repository.trace_of(connection, campus.readings["METER_001", END_S])
    assert trace is not None and trace.interval is not None
    assert trace.interval["start_at"] == at_s(START_S)
    assert trace.shown_at == at_s(END_S + 21)
    names = [name for hop in hops_of(trace, None) for name in hop.file.split(", ")]
    assert [name for name in names if not (ROOT / name).exists()] == []


async def test_every_revision_is_told_with_where_it_stands_and_what_follows_it(pool: Pool) -> None:
    async with pool.acquire() as connection:
        campus = await seed_campus(connection)
        await add_revision(connection, 2, "METER_002", 350, refusal="too late")
        await add_revision(connection, 3, "METER_002", 352, made_s=END_S + 90_000, final_s=END_S + 90_060)
        traces = [
            await repository.trace_of(connection, campus.readings[meter, END_S]) for meter in ("METER_002", "METER_001")
        ]
    first, *later = [hop for hop in hops_of(checked(traces[0]), None) if hop.name in {"attested", "corrected"}]
    assert first.detail == (
        "interval 09:30:00, revision 1: import 500 Wh, export 0 Wh, valid, on the chain, for trades"
    )
    second = "revision 2: import 350 Wh, export 0 Wh, valid (gap), refused: too late, because of late readings"
    third = "revision 3: import 352 Wh, export 0 Wh, valid (gap), on the chain, for the bill, because of late readings"
    assert [(hop.at, hop.detail) for hop in later] == [(at_s(END_S + 600), second), (at_s(END_S + 90_000), third)]
    of_neighbour = [hop.detail for hop in hops_of(checked(traces[1]), None) if hop.name == "corrected"]
    assert of_neighbour[1] == "revision 3: import 100 Wh, export 1000 Wh, valid, on the chain, for the bill"


def checked(trace: repository.ReadingTrace | None) -> repository.ReadingTrace:
    assert trace is not None
    return trace


async def test_before_a_correction_the_first_revision_is_the_bills(pool: Pool) -> None:
    async with pool.acquire() as connection:
        campus = await seed_campus(connection)
        await connection.execute("UPDATE settlement_steps SET state = 'submitted'")
        trace = checked(await repository.trace_of(connection, campus.readings["METER_002", END_S]))
    [attested] = [hop for hop in hops_of(trace, None) if hop.name in {"attested", "corrected"}]
    assert attested.detail.endswith("valid, not on the chain, for trades and the bill")


async def test_a_prefix_finds_at_most_two_by_the_index(pool: Pool) -> None:
    async with pool.acquire() as connection:
        campus = await seed_campus(connection)
        reading_id = campus.readings["METER_001", END_S]
        assert await repository.find_readings(connection, reading_id.hex()) == [reading_id]
        assert await repository.find_readings(connection, reading_id.hex()[:6]) == [reading_id]
        assert await repository.find_readings(connection, "00" * 32) == []
        assert len(await repository.find_readings(connection, "")) == 2
        await connection.execute("SET enable_seqscan = off")
        plan = await connection.fetchval(f"EXPLAIN (FORMAT JSON) {repository.BETWEEN}", bytes(32), b"\xff" * 32)
    assert "Index Cond" in json.dumps(plan)
