"""Measures the oracle with PostgreSQL: attesting an interval of 1,000 meters, and correcting 10 intervals of them.

`--json` ends with one object. The percentages are those of `docs/oracle.md`, which the labelled meter-days give.
"""

import argparse
import asyncio
import json
import secrets
import tempfile
import time
from pathlib import Path
from uuid import UUID

from bench.common import ROOT, script
from bench.common.figures import Figure
from bench.common.servers import durable_postgres, fresh_pool
from hub.clock import ManualClock, at_ms, at_s
from hub.market.auction.service import clear_attested
from hub.market.corrections import write_utility_lines
from hub.metering.corrections.service import correct_next, mark_late
from hub.metering.oracle import OracleConfig, attest_due
from hub.postgres.db import Pool
from support.rows.site_rows import ALWAYS, KnownFunds, add_coverage, add_meter, add_participant, add_rates, lead

START_S, INTERVAL_S, POLL_S, INTERVALS = 1_780_308_000, 900, 60, 10
LATE_S = START_S + INTERVAL_S
"""From here on the readings are late in a correction."""
SCORES = ROOT / "docs" / "reference" / "oracle_scores.json"


async def measure(folder: Path, args: argparse.Namespace) -> list[Figure]:
    attested, corrected = list[float](), list[float]()
    async with durable_postgres(folder / "postgres") as server:
        for _ in range(args.runs):
            async with fresh_pool(server) as (_, pool):
                attested.append(await attest_seconds(pool, args.meters))
                corrected.append(await correct_seconds(pool, args.meters))
    size = f"{args.meters} meters, a reading a minute"
    return [
        Figure("attest_1000_s", "s", tuple(attested), args.meters, sum(attested), f"one interval of {size}"),
        Figure(
            "correct_10000_s", "s", tuple(corrected), args.meters * INTERVALS, sum(corrected),
            f"{INTERVALS} intervals of {size}: marked, computed again, attested, with the utility's lines",
        ),
        *scores(),
    ]  # fmt: skip


async def attest_seconds(pool: Pool, meters: int) -> float:
    """Adds the site and the readings of the first interval; returns how long it takes to attest it."""
    await add_rates(pool)
    await add_coverage(pool)
    for number in range(meters):
        await add_participant(pool, UUID(int=number + 1), trades=False)
        await add_meter(pool, f"METER_{number:05}", UUID(int=number + 1), expected_from_s=START_S)
    await add_readings(pool, meters, range(START_S - 600, LATE_S + 1, POLL_S))
    clock = ManualClock((LATE_S + 1) * 1000)
    started = time.monotonic()
    (interval,) = await attest_due(pool, await lead(pool), clock, config())
    seconds = time.monotonic() - started
    assert interval.meters_valid == meters, interval
    return seconds


async def correct_seconds(pool: Pool, meters: int) -> float:
    """Attests ten intervals without readings, adds these; returns how long it takes until all are corrected."""
    end_s = LATE_S + INTERVALS * INTERVAL_S
    clock, funds = ManualClock((end_s + 121) * 1000), KnownFunds({})
    lease = await lead(pool, seconds=3600)
    await attest_due(pool, lease, clock, config(), limit=INTERVALS)
    await clear_attested(pool, lease, clock, funds)
    await mark_late(pool, lease, clock)
    await add_readings(pool, meters, range(LATE_S + POLL_S, end_s + 1, POLL_S))
    started, changed = time.monotonic(), 0
    await mark_late(pool, lease, clock)
    while (
        done := await correct_next(
            pool, lease, clock, POLL_S, None, write_utility_lines, secrets.token_bytes, quiet_ms=0
        )
    ) is not None:
        changed += len(done.meters)
    assert changed == meters * INTERVALS, changed
    return time.monotonic() - started


def config() -> OracleConfig:
    return OracleConfig(INTERVAL_S, POLL_S, 120, ALWAYS)


async def add_readings(pool: Pool, meters: int, slots: range) -> None:
    """Adds readings of every meter at these slots: each imports a Wh a second."""
    columns = ("reading_id", "meter_id", "gateway_id", "boot_id", "frame_sequence", "record_index", "meter_sequence",
               "slot_at", "read_at", "time_quality", "meter_state", "flags", "import_wh", "export_wh",
               "active_power_w")  # fmt: skip
    for number in range(meters):
        records = [
            (secrets.token_bytes(32), f"METER_{number:05}", "gw-north", b"b" * 16, 0, 0, slot_s // POLL_S, at_s(slot_s),
             at_ms(slot_s * 1000 + 90), "S", "G", 0, 1_000_000 + slot_s - START_S, 0, 3600)
            for slot_s in slots
        ]  # fmt: skip
        await pool.copy_records_to_table("readings", records=records, columns=columns)


def scores() -> list[Figure]:
    """Returns what the labelled meter-days gave when they were last judged."""
    rows = json.loads(SCORES.read_text())["all"]
    faults, honest = [row for row in rows if row["rule"]], [row for row in rows if not row["rule"]]
    days, intervals = sum(row["days"] for row in rows), sum(row["intervals"] for row in honest)
    flagged = 100 * sum(row["flagged"] for row in faults) / sum(row["days"] for row in faults)
    false = 100 * sum(row["falsely_flagged"] for row in rows) / sum(row["intervals"] for row in rows)
    wrong = sum(row["wrong_last_wh"] for row in rows if row["knowable"])
    return [
        Figure("flagged_pct", "%", (flagged,), days, 0, "meter-days with a fault that its rule flagged"),
        Figure("false_flagged_pct", "%", (false,), intervals, 0, "honest intervals that a rule flagged"),
        Figure("wrong_wh_final", "Wh", (wrong,), days, 0, "wrong after corrections, where the truth can be known"),
    ]


def main() -> None:
    parser = script.make_parser(str(__doc__))
    parser.add_argument("--meters", type=int, default=1000, help="meters of the site (1000)")
    args = script.parse(parser)
    if args.quick:
        args.meters = min(args.meters, 20)
    with tempfile.TemporaryDirectory(prefix="peerwatt-bench-") as folder:
        script.report("oracle", args, lambda: asyncio.run(measure(Path(folder), args)))


if __name__ == "__main__":
    main()
