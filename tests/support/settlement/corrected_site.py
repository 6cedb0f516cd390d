"""Two people's meters over an hour, attested, cleared and corrected on a real database, for tests of corrections."""

import secrets
from typing import Any
from uuid import UUID

from hub.clock import Clock, ManualClock
from hub.market.auction.service import clear_attested
from hub.market.corrections import write_utility_lines
from hub.metering.corrections.service import CorrectedInterval, correct_next, mark_late
from hub.metering.oracle import OracleConfig, attest_due
from hub.postgres.db import Pool
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

START_S, LENGTH_S, INTERVALS = 1_780_308_000, 900, 4
END_S = START_S + INTERVALS * LENGTH_S
ANNA, BEN = UUID(int=1), UUID(int=2)
CONFIG = OracleConfig(LENGTH_S, 60, 120, ALWAYS)
CLOCK = ManualClock((END_S + 120) * 1000)
SLOTS = range(START_S, END_S + 1, 60)
LATE_SLOTS = [slot_s for slot_s in SLOTS if slot_s > START_S + LENGTH_S]
"""All but those of the first interval."""


def load(slot_s: int) -> tuple[int, int, int]:
    """Returns the registers at a slot of a load that imports a Wh a second."""
    return slot_s, 5000 + slot_s - START_S, 0


def sun(slot_s: int) -> tuple[int, int, int]:
    """Returns the registers at a slot of a roof that exports two Wh a second."""
    return slot_s, 100, 9000 + 2 * (slot_s - START_S)


async def add_site(pool: Pool) -> None:
    """Adds Anna with METER_001 and Ben with METER_002, and no reading."""
    await add_rates(pool)
    await add_coverage(pool)
    for number, person in enumerate((ANNA, BEN), start=1):
        await add_participant(pool, person)
        await add_meter(pool, f"METER_00{number}", person, expected_from_s=START_S)


async def add_late_site(pool: Pool) -> None:
    """Adds the site and attests it: Anna's readings of ``LATE_SLOTS`` are late."""
    await add_site(pool)
    await add_readings(pool, "METER_002", [sun(slot_s) for slot_s in SLOTS])
    await add_readings(pool, "METER_001", [load(slot_s) for slot_s in SLOTS if slot_s not in LATE_SLOTS])
    await attest(pool)
    await mark_late(pool, await lead(pool), CLOCK)


async def attest(pool: Pool) -> None:
    """Attests and clears what is due."""
    lease = await lead(pool)
    await attest_due(pool, lease, CLOCK, CONFIG)
    await clear_attested(pool, lease, CLOCK, KnownFunds())


async def correct(pool: Pool, clock: Clock = CLOCK) -> list[CorrectedInterval]:
    """Corrects until nothing is marked any more."""
    lease, done = await lead(pool), list[CorrectedInterval]()
    await mark_late(pool, lease, clock)
    while (one := await correct_one(pool, clock)) is not None:
        done.append(one)
    return done


async def correct_one(pool: Pool, clock: Clock = CLOCK) -> CorrectedInterval | None:
    """Corrects one interval, however new its marks are."""
    return await correct_next(
        pool, await lead(pool), clock, 60, None, write_utility_lines, secrets.token_bytes, quiet_ms=0
    )


async def energies(pool: Pool, meter_id: str = "METER_001") -> list[tuple[Any, ...]]:
    """Returns revision, import, export and quality of each interval's newest revision."""
    rows = await pool.fetch(
        """
        SELECT DISTINCT ON (start_at) revision, import_wh, export_wh, quality FROM interval_readings
        WHERE meter_id = $1 ORDER BY start_at, revision DESC
        """,
        meter_id,
    )
    return [tuple(row) for row in rows]


async def utility(pool: Pool, person: UUID) -> list[tuple[int, int]]:
    """Returns the energy with the utility and its amount, of each interval's newest revision."""
    rows = await pool.fetch(
        """
        SELECT DISTINCT ON (start_at) utility_wh, amount_micros FROM utility_lines
        WHERE participant_id = $1 ORDER BY start_at, revision DESC
        """,
        person,
    )
    return [tuple(row) for row in rows]
