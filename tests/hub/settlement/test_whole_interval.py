"""From a truth log through oracle, market and plan in the database; every figure again from the rules coded twice."""

import random
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import pytest

from hub.clock import ManualClock, at_s
from hub.db import Pool
from hub.market.service import clear_attested
from hub.metering.oracle import OracleConfig, attest_due
from hub.settlement.planner import plan_cleared
from support import ground_truth
from support.site_rows import KnownFunds, add_meter, add_participant, add_rates, add_readings, lead

START_S, INTERVAL_S, POLL_S, GRACE_S, INTERVALS = 1_780_308_000, 60, 10, 20, 12
PEOPLE, METERS_EACH = 5, 2
NO_WALLET = UUID(int=PEOPLE)


@dataclass
class Simulated:
    log: list[dict[str, Any]]
    rows: dict[str, list[tuple[int, int, int]]]


def meter_name(person: int, number: int) -> str:
    return f"METER_{person}{number:02}"


def simulate(seed: int) -> Simulated:
    """Meters that import or export at random; now and then a slot is missed, a meter falls silent, a register falls."""
    chance = random.Random(seed)
    simulated = Simulated([], {})
    for person in range(1, PEOPLE + 1):
        for number in range(METERS_EACH):
            name = meter_name(person, number)
            simulated.rows[name] = _meter(chance, simulated.log, name)
    return simulated


def _meter(chance: random.Random, log: list[dict[str, Any]], name: str) -> list[tuple[int, int, int]]:
    imported, exported, rows = 5000, 3000, []
    sells, silent_from = chance.random() < 0.5, chance.choice([None, None, 300, 500])
    for offset in range(-20, INTERVALS * INTERVAL_S + GRACE_S + 1, POLL_S):
        imported += chance.randint(0, 40)
        exported += chance.randint(0, 90) if sells else 0
        if chance.random() < 0.004:
            imported -= 60
        missed = chance.random() < 0.04
        if missed or (silent_from is not None and silent_from <= offset < silent_from + 150):
            continue
        slot_s = START_S + offset
        rows.append((slot_s, imported, exported))
        log.append(
            {"t_ms": slot_s * 1000, "meter": name, "import_wh": imported, "export_wh": exported, "via": "modbus"}
        )
    return rows


async def run_hub(pool: Pool, simulated: Simulated) -> None:
    await add_rates(pool)
    for person in range(1, PEOPLE + 1):
        who = UUID(int=person)
        await add_participant(pool, who, trades=who != NO_WALLET)
        for number in range(METERS_EACH):
            await add_meter(pool, meter_name(person, number), who, expected_from_s=START_S)
    for name, rows in simulated.rows.items():
        await add_readings(pool, name, rows)
    lease = await lead(pool)
    clock = ManualClock((START_S + INTERVALS * INTERVAL_S + GRACE_S) * 1000)
    await attest_due(pool, lease, clock, OracleConfig(INTERVAL_S, POLL_S, GRACE_S, since_ms=0))
    await clear_attested(pool, lease, clock, KnownFunds())
    await plan_cleared(pool, lease, clock)


@pytest.mark.parametrize("seed", [11, 12, 13])
async def test_every_figure_agrees(pool: Pool, seed: int) -> None:
    simulated = simulate(seed)
    await run_hub(pool, simulated)
    meters = {
        meter_name(person, number): ground_truth.TruthMeter(str(UUID(int=person)), 100_000, START_S)
        for person in range(1, PEOPLE + 1)
        for number in range(METERS_EACH)
    }
    traders = {str(UUID(int=n)): ground_truth.Trader() for n in range(1, PEOPLE)}
    site = ground_truth.Site(INTERVAL_S, POLL_S, GRACE_S, meters, traders)
    last_s = START_S + (INTERVALS - 1) * INTERVAL_S
    energies = ground_truth.energies(simulated.log, site, START_S, last_s)
    assert await pool.fetchval("SELECT count(*) FROM settlements") == INTERVALS
    seen = set()
    for start_s, truth in energies.items():
        seen |= {m.quality for m in truth.values()}
        await _compare(pool, start_s, ground_truth.settle(start_s, truth, site))
    assert {"valid", "estimated"} <= seen
    assert await pool.fetchval("SELECT sum(volume_wh) FROM clearings") > 0


async def _compare(pool: Pool, start_s: int, truth: ground_truth.IntervalTruth) -> None:
    start_at = at_s(start_s)
    meters = await pool.fetch(
        "SELECT meter_id, import_wh, export_wh, quality FROM interval_readings WHERE start_at = $1", start_at
    )
    assert {tuple(row) for row in meters} == {
        (name, m.import_wh, m.export_wh, m.quality) for name, m in truth.meters.items()
    }
    clearing = await pool.fetchrow("SELECT price_mills, volume_wh FROM clearings WHERE start_at = $1", start_at)
    assert clearing is not None and tuple(clearing) == (truth.price_mills, truth.volume_wh)
    lines = await pool.fetch(
        "SELECT participant_id::text, sold_wh, bought_wh, credit_micros, debit_micros FROM settlement_lines "
        "WHERE start_at = $1",
        start_at,
    )
    assert {tuple(row) for row in lines} == {
        (p, b.sold_wh, b.bought_wh, b.credit_micros, b.debit_micros)
        for p, b in truth.bills.items()
        if b.sold_wh or b.bought_wh
    }
    utility = await pool.fetch(
        "SELECT participant_id::text, utility_wh, amount_micros FROM utility_lines WHERE start_at = $1", start_at
    )
    assert {tuple(row) for row in utility} == {(p, b.utility_wh, b.utility_micros) for p, b in truth.bills.items()}
    minted = await pool.fetchval("SELECT minted_wh FROM settlements WHERE start_at = $1", start_at)
    assert minted == truth.minted_wh
