"""Settles the same campus on any node, and measures seconds and compute units.

The campus has participants with money and mandates, one interval with trades and one without. The hub's own submitter
settles and reconciles both.
"""

import statistics
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from solders.keypair import Keypair
from solders.system_program import TransferParams, transfer

from bench.common.servers import durable_postgres, fresh_pool
from bench.common.settlement import energy
from bench.validator import StageError
from bench.validator.compute_units import units_by_instruction
from hub.chain.bootstrap import Bootstrap
from hub.chain.client import ChainClient
from hub.chain.transaction_outcome import Level
from hub.clock import SystemClock, to_s
from hub.postgres.db import Pool
from hub.settlement.reconcile import compare_all, reconcile_due
from support.rows.site_rows import lead
from support.settlement.campus import SettlingCampus

PAYMENTS, TRIES = 5, 5
SETTLING_SECONDS = """
SELECT extract(epoch FROM i.closed_at - i.planned_at)::float8 AS seconds, s.line_count AS lines
FROM intervals i JOIN settlements s USING (start_at) WHERE start_at = to_timestamp($1)
"""
FINAL_TRANSACTIONS = "SELECT signature, start_at FROM blockchain_transactions WHERE state = 'finalized'"


@dataclass(frozen=True)
class CampusRun:
    """The measurements on one node."""

    lines: int
    """The lines of the interval with trades."""
    seconds: dict[str, float] = field(default_factory=dict)
    """By the stages of ``page.STAGES``."""
    compute_units: Mapping[str, list[int]] = field(default_factory=dict)
    """Of every call, by instruction."""


async def settle_campus(url: str, keys: Bootstrap, people: int, folder: Path) -> CampusRun:
    """Founds what is missing and settles both intervals; ``people`` must be even.

    Raises:
        StageError: an interval did not close, or does not agree with the chain to the micro.
    """
    async with (
        durable_postgres(folder) as server,
        fresh_pool(server) as (_, pool),
        ChainClient(url, timeout_s=30) as chain,
    ):
        seconds = await _payments(chain, keys.fee_payer)
        started = time.monotonic()
        campus = await SettlingCampus.create(pool, chain, keys, people)
        seconds["participants"] = time.monotonic() - started
        lines, seconds["settle"] = await _settle(campus, energy(people, 0))
        _, seconds["settle_empty"] = await _settle(campus, [-100] * people)
        await _reconcile(campus)
        starts = {row["signature"]: to_s(row["start_at"]) for row in await pool.fetch(FINAL_TRANSACTIONS)}
        return CampusRun(lines, seconds, await units_by_instruction(chain, starts))


async def _settle(campus: SettlingCampus, energy_wh: list[int]) -> tuple[int, float]:
    """Settles one interval; returns its lines, and the seconds from its plan until it was closed and all was final."""
    start_s = await campus.interval(energy_wh)
    submitter = await campus.submitter()
    for _ in range(TRIES):
        if await submitter.settle_due() == [start_s]:
            return await _measured(campus.pool, start_s)
    raise StageError(f"The interval of {start_s} is not closed: {submitter.deferred.errors.get(start_s)}")


async def _measured(pool: Pool, start_s: int) -> tuple[int, float]:
    row = await pool.fetchrow(SETTLING_SECONDS, start_s)
    assert row is not None
    return int(row["lines"]), float(row["seconds"])


async def _reconcile(campus: SettlingCampus) -> None:
    reconciled = await reconcile_due(campus.pool, await lead(campus.pool), SystemClock(), campus.chain)
    report = await compare_all(campus.pool, campus.chain)
    if len(reconciled) != 2 or report.differences:
        raise StageError(f"Of two intervals {len(reconciled)} agree with the chain: {report.differences}")


async def _payments(chain: ChainClient, payer: Keypair) -> dict[str, float]:
    """Returns the median seconds from sending a payment until each level; the payments go one after the other."""
    seconds_by_level: dict[Level, list[float]] = {"confirmed": [], "finalized": []}
    for _ in range(PAYMENTS):
        recipient = Keypair().pubkey()
        payment = transfer(TransferParams(from_pubkey=payer.pubkey(), to_pubkey=recipient, lamports=10**7))
        signed = await chain.prepare([payment], [payer])
        started = time.monotonic()
        await chain.send(signed)
        for level, seconds in seconds_by_level.items():
            await chain.wait(signed, until=level)
            seconds.append(time.monotonic() - started)
    return {f"payment_{level}": statistics.median(seconds) for level, seconds in seconds_by_level.items()}
