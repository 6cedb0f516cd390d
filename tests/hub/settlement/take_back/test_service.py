"""Intervals that were attested too early are taken back while nothing of them is on the chain, and attested anew."""

import asyncio
from collections.abc import Sequence
from dataclasses import replace
from typing import Any
from uuid import UUID

import pytest

from hub.chain.client import ChainClient
from hub.chain.errors import ChainUnreachableError
from hub.clock import ManualClock, at_s, rfc3339_s
from hub.errors import RetryableError
from hub.market.auction.service import clear_attested
from hub.metering.oracle import OracleConfig, attest_due
from hub.postgres.db import Pool
from hub.postgres.lease import LeaseLostError, acquire, guard
from hub.settlement.planner import plan_cleared
from hub.settlement.steps import repository as steps
from hub.settlement.submitter import Submitter
from hub.settlement.take_back import repository, service
from hub.settlement.take_back.service import (
    LEASES,
    AlreadySentError,
    RoundsBusyError,
    TakenBack,
    TooManyIntervalsError,
    Why,
    held_by_chain,
    take_back,
)
from support.killed_calls import killed_after
from support.rows.site_rows import (
    ALWAYS,
    KnownFunds,
    add_interval_energy,
    add_meter,
    add_participant,
    add_rates,
    end_leases,
    lead,
)
from support.rows.worked_example import INTERVAL_S, START_S
from support.servers.nodes import NO_CHAIN
from support.settlement.campus import ENERGY, SettlingCampus
from support.waiting import eventually

SECOND_S = START_S + INTERVAL_S
CLOCK = ManualClock((START_S + 10 * INTERVAL_S) * 1000)
WHY = Why("Olga", "The worker's clock was an hour ahead")
KEPT = {"energy_decisions", "blockchain_transactions"}
"""Tables with `start_at` that a take-back leaves alone."""


async def empty_chain(_: Sequence[int]) -> list[int]:
    return []


async def take(pool: Pool, since_s: int = START_S) -> TakenBack:
    return await take_back(pool, CLOCK, empty_chain, since_s, WHY)


async def rows_of(pool: Pool) -> dict[str, int]:
    """Returns by table how many rows it has of intervals from ``START_S`` on, of every table that has such rows."""
    tables = await pool.fetch(
        """
        SELECT c.table_name FROM information_schema.columns c JOIN information_schema.tables t USING (table_name)
        WHERE c.table_schema = 'public' AND t.table_type = 'BASE TABLE' AND c.column_name = 'start_at'
        """
    )
    found = {}
    for (table,) in tables:
        count = await pool.fetchval(f"SELECT count(*) FROM {table} WHERE start_at >= $1", at_s(START_S))  # noqa: S608
        if count and table not in KEPT:
            found[table] = count
    return found


async def agreed(pool: Pool) -> dict[str, list[Any]]:
    """Returns energy, trades, clearings and lines, without what is drawn at random."""
    queries = {
        "energy": "SELECT start_at, meter_id, import_wh, export_wh, quality FROM interval_readings ORDER BY 1, 2",
        "trades": "SELECT trade_id, wh, price_mills FROM trades ORDER BY trade_id",
        "utility": "SELECT start_at, participant_id, utility_wh FROM utility_lines ORDER BY 1, 2",
        "lines": "SELECT start_at, line_index, sold_wh, bought_wh FROM settlement_lines ORDER BY 1, 2",
        "states": "SELECT start_at, state FROM intervals ORDER BY start_at",
    }
    return {name: [tuple(row) for row in await pool.fetch(query)] for name, query in queries.items()}


async def do_anew(pool: Pool) -> None:
    lease = await lead(pool, "worker")
    await attest_due(pool, lease, CLOCK, OracleConfig(INTERVAL_S, 60, 120, coverage=ALWAYS), limit=2)
    await clear_attested(pool, lease, CLOCK, KnownFunds())
    await plan_cleared(pool, lease, CLOCK)


async def test_planned_intervals_are_taken_back_whole_and_attested_anew(submitter: Submitter) -> None:
    pool = submitter.pool
    await pool.execute("INSERT INTO interval_marks SELECT start_at, meter_id, now(), now() FROM interval_readings")
    await pool.execute("INSERT INTO market_halts SELECT start_at, now(), 'why' FROM intervals")
    await pool.execute(
        "INSERT INTO deferred_intervals SELECT start_at, 'settlement', 'c', 'r', now(), now() FROM intervals"
    )
    await pool.execute("INSERT INTO released_trades SELECT *, now() FROM trades")
    before = await agreed(pool)
    assert before["trades"] and before["lines"]
    assert set(await rows_of(pool)) == set(repository._TABLES)

    taken = await take(pool)
    assert taken.starts == (START_S, SECOND_S)
    assert await rows_of(pool) == {}
    assert await pool.fetchval("SELECT count(*) FROM readings") > 0
    await do_anew(pool)
    assert await agreed(pool) == before


async def test_the_record_says_who_when_why_and_what_was_attested(submitter: Submitter) -> None:
    pool = submitter.pool
    roots = await pool.fetch("SELECT start_at, merkle_root FROM attestations ORDER BY start_at")
    taken = await take(pool)
    row = await pool.fetchrow("SELECT * FROM taken_back")
    assert row is not None and row["take_back_id"] == taken.record
    assert (row["taken_by"], row["reason"], row["from_at"]) == (WHY.taken_by, WHY.reason, at_s(START_S))
    assert row["taken_at"] == at_s(CLOCK.now_ms() // 1000)
    assert [(one["start_at"], one["merkle_root"], one["state"]) for one in row["attestations"]] == [
        (rfc3339_s(start_s), root["merkle_root"].hex(), "planned")
        for start_s, root in zip((START_S, SECOND_S), roots, strict=True)
    ]
    assert [one["trades"] for one in row["attestations"]] == [2, 0]


async def test_what_lies_before_the_time_stays(submitter: Submitter) -> None:
    before = await agreed(submitter.pool)
    assert (await take(submitter.pool, START_S + 1)).starts == (SECOND_S,)
    left = await agreed(submitter.pool)
    assert left == {name: [row for row in rows if row[0] != at_s(SECOND_S)] for name, rows in before.items()}


async def test_again_takes_back_nothing(submitter: Submitter) -> None:
    await take(submitter.pool)
    assert await take(submitter.pool) == TakenBack((), None)
    assert await submitter.pool.fetchval("SELECT count(*) FROM taken_back") == 1


@pytest.mark.parametrize("fate", ["signed", "confirmed", "expired", "done elsewhere"])
async def test_what_was_sent_is_never_taken_back(submitter: Submitter, fate: str) -> None:
    """Also not when its transaction expired: whoever looks at the chain has seen it."""
    pool = submitter.pool
    async with pool.acquire() as connection:
        step = (await steps.steps(connection, START_S))[0]
        if fate == "done elsewhere":
            await steps.record_done_elsewhere(connection, step, 0)
        else:
            await steps.record_signed(connection, step, "first", b"raw", 77, 0)
            signed = replace(step, signature="first")
            if fate == "confirmed":
                await steps.record_confirmed(connection, signed, 5, 0)
            if fate == "expired":
                await steps.record_void(connection, signed, "expired", None, 0)
    before = await agreed(pool)
    with pytest.raises(AlreadySentError) as refused:
        await take(pool)
    assert refused.value.code == "already_sent"
    said = str(refused.value)
    assert said.startswith(
        "1 of 2 intervals have something on the chain or on its way there, the last of them that of "
    )
    assert f"that of {rfc3339_s(START_S)}: nothing" in said and f"from {rfc3339_s(SECOND_S)} on nothing is sent" in said
    assert await agreed(pool) == before and await pool.fetchval("SELECT count(*) FROM taken_back") == 0
    assert (await take(pool, SECOND_S)).starts == (SECOND_S,)


async def test_what_the_chain_holds_is_never_taken_back(submitter: Submitter) -> None:
    """As after a database was restored from a backup: it does not know what was sent."""

    async def holds_the_second(starts: Sequence[int]) -> list[int]:
        return [start_s for start_s in starts if start_s == SECOND_S]

    with pytest.raises(AlreadySentError, match="corrected by its next revision"):
        await take_back(submitter.pool, CLOCK, holds_the_second, START_S, WHY)
    assert await submitter.pool.fetchval("SELECT count(*) FROM intervals") == 2


async def test_a_chain_that_does_not_answer_leaves_all_as_it_is(submitter: Submitter) -> None:
    async def ask(starts: Sequence[int]) -> list[int]:
        return await held_by_chain(submitter.chain, starts)

    with pytest.raises(ChainUnreachableError):
        await take_back(submitter.pool, CLOCK, ask, START_S, WHY)
    assert await submitter.pool.fetchval("SELECT count(*) FROM intervals WHERE state = 'planned'") == 2


async def test_the_chain_says_what_it_holds(campus: SettlingCampus) -> None:
    settled_s = await campus.interval(ENERGY)
    await (await campus.submitter()).settle_due()
    async with ChainClient(campus.chain.url, NO_CHAIN) as chain:
        assert await held_by_chain(chain, [settled_s - 1_000_000, settled_s]) == [settled_s]


@pytest.mark.parametrize("name", LEASES)
async def test_a_rival_that_leads_writes_nothing_afterwards_and_can_lead_again(submitter: Submitter, name: str) -> None:
    await end_leases(submitter.pool)
    async with submitter.pool.acquire() as connection:
        rival = await acquire(connection, name, "rival", seconds=60)
        assert rival is not None
        await take(submitter.pool)
        with pytest.raises(LeaseLostError):
            await guard(connection, rival)
        again = await acquire(connection, name, "rival", seconds=60)
        assert again is not None and again.fence > rival.fence
        await guard(connection, again)


async def test_what_a_rival_is_writing_is_taken_back_too(submitter: Submitter) -> None:
    """The oracle has added an interval, and its transaction is still open when the take-back begins."""
    pool, third_s = submitter.pool, SECOND_S + INTERVAL_S
    async with pool.acquire() as connection:
        rival = await acquire(connection, "oracle", "rival", seconds=60)
        assert rival is not None
        transaction = connection.transaction()
        await transaction.start()
        await guard(connection, rival)
        await connection.execute(
            "INSERT INTO intervals VALUES ($1, $2, 'attested', now())", at_s(third_s), at_s(third_s + INTERVAL_S)
        )
        taking = asyncio.create_task(take(pool))

        async def waits() -> bool:
            return bool(await connection.fetchval("SELECT EXISTS (SELECT FROM pg_locks WHERE NOT granted)"))

        await eventually(waits, what="the take-back waits for the oracle")
        await transaction.commit()
    assert (await taking).starts == (START_S, SECOND_S, third_s)
    assert await pool.fetchval("SELECT count(*) FROM intervals") == 0


async def test_a_rival_that_does_not_end_is_said(submitter: Submitter, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(service, "LOCK_WAIT_S", 1)
    async with submitter.pool.acquire() as connection, connection.transaction():
        rival = await acquire(connection, "settlement", "rival", seconds=60)
        assert rival is not None
        await guard(connection, rival)
        with pytest.raises(RoundsBusyError, match="nothing was taken back") as refused:
            await take(submitter.pool)
    assert isinstance(refused.value, RetryableError)
    assert await submitter.pool.fetchval("SELECT count(*) FROM intervals") == 2


@pytest.mark.parametrize("step", ["lock_intervals", "sent", "record", "delete"])
async def test_a_kill_anywhere_leaves_all_or_nothing(submitter: Submitter, step: str) -> None:
    before = await agreed(submitter.pool)
    with killed_after(repository, step):
        await take(submitter.pool)
    assert await agreed(submitter.pool) == before
    assert await submitter.pool.fetchval("SELECT count(*) FROM taken_back") == 0
    assert len((await take(submitter.pool)).starts) == 2


async def test_too_many_at_once_are_refused(submitter: Submitter, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(service, "MAX_INTERVALS", 1)
    with pytest.raises(TooManyIntervalsError, match="later ones first"):
        await take(submitter.pool)
    assert len((await take(submitter.pool, SECOND_S)).starts) == 1


async def test_a_stage_that_deferred_an_interval_goes_on_after_it_was_taken_back(submitter: Submitter) -> None:
    """It stores what it has deferred, and the interval is not there any more."""
    submitter.deferred.defer(START_S, RetryableError("refused"), CLOCK)
    await take(submitter.pool)
    await submitter.deferred.store(submitter.pool, await lead(submitter.pool, "worker"), "settlement")
    assert await submitter.pool.fetchval("SELECT count(*) FROM deferred_intervals") == 0


@pytest.mark.parametrize("kind", ["E7", "E17"])
async def test_what_was_attested_ahead_of_its_readings_is_true_in_the_end(pool: Pool, kind: str) -> None:
    """E7: a worker an hour ahead attested intervals of the future. E17: a new site's first one, before a meter came."""
    await add_rates(pool)
    await add_participant(pool, UUID(int=1))
    await add_meter(pool, "METER_001", UUID(int=1), expected_from_s=START_S)
    config, ahead = OracleConfig(INTERVAL_S, 60, 0, coverage=ALWAYS), ManualClock((START_S + 4 * INTERVAL_S) * 1000)
    lease = await lead(pool)
    await attest_due(pool, lease, ahead, config, limit=4 if kind == "E7" else 1)
    await clear_attested(pool, lease, ahead, KnownFunds())
    await plan_cleared(pool, lease, ahead)
    assert {row["quality"] for row in await pool.fetch("SELECT quality FROM interval_readings")} == {"missing"}

    assert len((await take(pool)).starts) == (4 if kind == "E7" else 1)
    await add_interval_energy(pool, "METER_001", START_S, INTERVAL_S, (900, 0))
    now = ManualClock((START_S + INTERVAL_S + 30) * 1000)
    await attest_due(pool, await lead(pool, "worker"), now, config)
    rows = await pool.fetch("SELECT revision, start_at, import_wh, quality FROM interval_readings")
    assert [tuple(row) for row in rows] == [(1, at_s(START_S), 900, "valid")]
