"""Oracle, market and planner on simulated meters; every figure is compared with a second implementation."""

import asyncio
import random
import signal
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest

from hub.clock import ManualClock
from hub.market.auction.service import clear_attested
from hub.metering.oracle import OracleConfig, attest_due
from hub.postgres.db import Pool
from hub.settlement.planner import plan_cleared
from support.rows.site_rows import (
    ALWAYS,
    KnownFunds,
    add_coverage,
    add_meter,
    add_participant,
    add_rates,
    add_readings,
    lead,
)
from support.rows.truth_check import compare, site_of
from support.waiting import PATIENCE_S

START_S, INTERVAL_S, POLL_S, GRACE_S, INTERVALS = 1_780_308_000, 60, 10, 20, 12
TESTS = Path(__file__).parents[2]
PEOPLE, METERS_EACH = 5, 2
STARTS = [START_S + n * INTERVAL_S for n in range(INTERVALS)]
NOW_S = START_S + INTERVALS * INTERVAL_S + GRACE_S
NO_WALLET = UUID(int=PEOPLE)


@dataclass
class Simulated:
    """What simulated meters have served: the truth log, and by meter rows of (slot_s, import_wh, export_wh)."""

    log: list[dict[str, Any]]
    rows: dict[str, list[tuple[int, int, int]]]


def meter_name(person: int, number: int) -> str:
    return f"METER_{person}{number:02}"


def simulate(seed: int) -> Simulated:
    """Simulates meters at random: some slots are missed, some meters send nothing for a while, some registers fall."""
    rng = random.Random(seed)
    simulated = Simulated([], {})
    for person in range(1, PEOPLE + 1):
        for number in range(METERS_EACH):
            name = meter_name(person, number)
            simulated.rows[name] = _meter(rng, simulated.log, name)
    return simulated


def _meter(rng: random.Random, log: list[dict[str, Any]], name: str) -> list[tuple[int, int, int]]:
    imported, exported, rows = 5000, 3000, []
    sells, silent_from = rng.random() < 0.5, rng.choice([None, None, 300, 500])
    for offset in range(-20, INTERVALS * INTERVAL_S + GRACE_S + 1, POLL_S):
        imported += rng.randint(0, 40)
        exported += rng.randint(0, 90) if sells else 0
        missed = rng.random() < 0.04
        if missed or (silent_from is not None and silent_from <= offset < silent_from + 150):
            continue
        slot_s = START_S + offset
        rows.append((slot_s, imported, exported))
        log.append(
            {"t_ms": slot_s * 1000, "meter": name, "import_wh": imported, "export_wh": exported, "via": "modbus"}
        )
    return rows


async def prepare(pool: Pool, simulated: Simulated) -> None:
    await add_rates(pool)
    await add_coverage(pool)
    for person in range(1, PEOPLE + 1):
        participant = UUID(int=person)
        await add_participant(pool, participant, trades=participant != NO_WALLET)
        for number in range(METERS_EACH):
            await add_meter(pool, meter_name(person, number), participant, expected_from_s=START_S)
    for name, rows in simulated.rows.items():
        await add_readings(pool, name, rows, period_s=POLL_S)


async def run_hub(pool: Pool, simulated: Simulated) -> None:
    await prepare(pool, simulated)
    lease, clock = await lead(pool), ManualClock(NOW_S * 1000)
    await attest_due(pool, lease, clock, OracleConfig(INTERVAL_S, POLL_S, GRACE_S, coverage=ALWAYS))
    await clear_attested(pool, lease, clock, KnownFunds())
    await plan_cleared(pool, lease, clock)


@pytest.mark.parametrize("seed", [11, 12, 13])
async def test_every_figure_agrees(pool: Pool, seed: int) -> None:
    simulated = simulate(seed)
    await run_hub(pool, simulated)
    async with pool.acquire() as connection:
        site = await site_of(connection, interval_s=INTERVAL_S, poll_period_s=POLL_S)
        assert await compare(connection, site, simulated.log, STARTS) == []
    qualities = await pool.fetch("SELECT DISTINCT quality FROM interval_readings")
    assert {"valid", "estimated"} <= {row["quality"] for row in qualities}
    assert await pool.fetchval("SELECT sum(volume_wh) FROM clearings") > 0


async def test_killed_again_and_again_the_figures_are_the_same(pool: Pool, db_url: str) -> None:
    simulated = simulate(12)
    await prepare(pool, simulated)
    for run in range(5):
        process = await _loop(db_url, f"life-{run}")
        await _until_written(pool, 3 * run + 2)
        process.send_signal(signal.SIGKILL)
        assert await process.wait() == -signal.SIGKILL
    assert await (await _loop(db_url, "last")).wait() == 0
    async with pool.acquire() as connection:
        site = await site_of(connection, interval_s=INTERVAL_S, poll_period_s=POLL_S)
        assert await compare(connection, site, simulated.log, STARTS) == []
    assert await pool.fetchval("SELECT count(*) FROM intervals WHERE state = 'planned'") == INTERVALS
    assert await pool.fetchval("SELECT count(*) FROM outbox") == 3 * INTERVALS


async def _loop(url: str, holder: str) -> asyncio.subprocess.Process:
    arguments = ("-m", "support.settlement.loop", url, str(NOW_S), holder)
    return await asyncio.create_subprocess_exec(sys.executable, *arguments, env={"PYTHONPATH": str(TESTS)}, cwd=TESTS)


async def _until_written(pool: Pool, events: int) -> None:
    async with asyncio.timeout(PATIENCE_S):
        while await pool.fetchval("SELECT count(*) FROM outbox") < events:  # noqa: ASYNC110 (another process writes)
            await asyncio.sleep(0)


async def test_a_single_micro_is_noticed(pool: Pool) -> None:
    simulated = simulate(11)
    await run_hub(pool, simulated)
    await pool.execute("UPDATE settlement_lines SET debit_micros = debit_micros + 1 WHERE line_index = 0")
    async with pool.acquire() as connection:
        site = await site_of(connection, interval_s=INTERVAL_S, poll_period_s=POLL_S)
        differences = await compare(connection, site, simulated.log, STARTS)
    changed = await pool.fetchval("SELECT count(*) FROM settlement_lines WHERE line_index = 0")
    assert len(differences) == changed > 0
    assert all("line of" in difference for difference in differences)
