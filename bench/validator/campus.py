"""The same campus on any node: participants with money and mandates, an interval with trades and one without, settled
and reconciled by the hub's own submitter; with the seconds that each part took and the compute units of every call."""

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
from bench.validator.compute_units import by_instruction
from hub.chain.bootstrap import Bootstrap
from hub.chain.client import ChainClient
from hub.chain.transaction_outcome import Level
from hub.clock import SystemClock, to_s
from hub.postgres.db import Pool
from hub.settlement.reconcile import compare_all, reconcile_due
from support.rows.site_rows import lead
from support.settlement.campus import SettlingCampus

PAYMENTS, TRIES = 5, 5
TAKEN = """
SELECT extract(epoch FROM i.closed_at - i.planned_at)::float8 AS seconds, s.line_count AS lines
FROM intervals i JOIN settlements s USING (start_at) WHERE start_at = to_timestamp($1)
"""
SENT = "SELECT signature, start_at FROM blockchain_transactions WHERE state = 'finalized'"


@dataclass(frozen=True)
class Played:
    """What happened on one node."""

    lines: int
    seconds: dict[str, float] = field(default_factory=dict)
    compute_units: Mapping[str, list[int]] = field(default_factory=dict)


async def play(url: str, keys: Bootstrap, people: int, folder: Path) -> Played:
    """Founds what is missing and settles both intervals; ``people`` is even.

    Raises:
        StageError: not everything closed and agreed to the micro.
    """
    async with (
        durable_postgres(folder) as server,
        fresh_pool(server) as (_, pool),
        ChainClient(url, timeout_s=30) as chain,
    ):
        seconds = await _payments(chain, keys.fee_payer)
        begun = time.monotonic()
        campus = await SettlingCampus.create(pool, chain, keys, people)
        seconds["participants"] = time.monotonic() - begun
        lines, seconds["settle"] = await _settle(campus, energy(people, 0))
        _, seconds["settle_empty"] = await _settle(campus, [-100] * people)
        await _reconcile(campus)
        starts = {row["signature"]: to_s(row["start_at"]) for row in await pool.fetch(SENT)}
        return Played(lines, seconds, await by_instruction(chain, starts))


async def _settle(campus: SettlingCampus, energy_wh: list[int]) -> tuple[int, float]:
    """Lines of the interval, and seconds from its plan until it was closed with everything final."""
    start_s = await campus.interval(energy_wh)
    submitter = await campus.submitter()
    for _ in range(TRIES):
        if await submitter.settle_due() == [start_s]:
            return await _taken(campus.pool, start_s)
    raise StageError(f"The interval of {start_s} is not closed: {submitter.deferred.errors.get(start_s)}")


async def _taken(pool: Pool, start_s: int) -> tuple[int, float]:
    row = await pool.fetchrow(TAKEN, start_s)
    assert row is not None
    return int(row["lines"]), float(row["seconds"])


async def _reconcile(campus: SettlingCampus) -> None:
    agreed = await reconcile_due(campus.pool, await lead(campus.pool), SystemClock(), campus.chain)
    report = await compare_all(campus.pool, campus.chain)
    if len(agreed) != 2 or report.differences:
        raise StageError(f"Of two intervals {len(agreed)} agree with the chain: {report.differences}")


async def _payments(chain: ChainClient, payer: Keypair) -> dict[str, float]:
    """From sending a single payment to each level, the median of a few; one after the other."""
    taken: dict[Level, list[float]] = {"confirmed": [], "finalized": []}
    for _ in range(PAYMENTS):
        to = Keypair().pubkey()
        gift = transfer(TransferParams(from_pubkey=payer.pubkey(), to_pubkey=to, lamports=10**7))
        signed = await chain.prepare([gift], [payer])
        begun = time.monotonic()
        await chain.send(signed)
        for level, seconds in taken.items():
            await chain.wait(signed, until=level)
            seconds.append(time.monotonic() - begun)
    return {f"payment_{level}": statistics.median(seconds) for level, seconds in taken.items()}
