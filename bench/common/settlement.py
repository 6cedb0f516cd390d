"""Measures the settlement of an interval on the embedded ledger, from the plan to `closed`, with real accounts."""

import random
import time
from dataclasses import dataclass
from pathlib import Path

from bench.common.figures import Figure
from bench.common.sampler import sampled
from bench.common.servers import durable_postgres, fresh_pool
from hub.chain.bootstrap import Bootstrap
from hub.chain.client import ChainClient
from hub.clock import at_s
from hub.postgres.db import Pool
from support.servers.ledger import running_ledger
from support.settlement.campus import SettlingCampus

TIMES = """
SELECT extract(epoch FROM closed_at - planned_at)::float8 FROM intervals WHERE start_at = $1 AND state = 'closed'
"""
USAGE = """
SELECT (SELECT line_count FROM settlements WHERE start_at = $1) AS lines,
       (SELECT count(*) FROM trades WHERE start_at = $1) AS trades,
       count(*) AS transactions, count(*) FILTER (WHERE kind = 'settle') AS batches,
       coalesce(sum(compute_units) FILTER (WHERE kind = 'settle'), 0)::bigint AS settle_cu,
       sum(compute_units)::bigint AS all_cu
FROM blockchain_transactions WHERE start_at = $1 AND state = 'finalized'
"""


@dataclass(frozen=True)
class ChainUsage:
    """The transactions and compute units of a closed interval."""

    lines: int
    trades: int
    transactions: int
    batches: int
    settle_cu: int
    all_cu: int


async def chain_usage(pool: Pool, start_s: int) -> ChainUsage:
    """Returns the transactions and compute units of a closed interval."""
    row = await pool.fetchrow(USAGE, at_s(start_s))
    assert row is not None
    return ChainUsage(**row)


async def measure(folder: Path, people: int, *, runs: int, profiles: Path | None = None) -> list[Figure]:
    """Settles ``runs`` intervals in which every participant trades; ``people`` is even."""
    (folder / "ledger").mkdir(mode=0o700)
    keys = Bootstrap.random()
    async with durable_postgres(folder / "postgres") as server, fresh_pool(server) as (_, pool):
        with running_ledger(folder / "ledger", keys) as ledger:
            async with ChainClient(ledger.url) as chain:
                campus = await SettlingCampus.create(pool, chain, keys, people)
                return await _intervals(campus, people, runs, profiles)


async def _intervals(campus: SettlingCampus, people: int, runs: int, profiles: Path | None) -> list[Figure]:
    started = time.monotonic()
    seconds, transactions, per_line, all_per_line = [], [], [], []
    batches = 0
    for number in range(runs):
        start_s = await campus.interval(energy(people, number))
        submitter = await campus.submitter()
        with sampled(profiles / "settle.txt" if profiles else None):
            assert await submitter.settle_due() == [start_s]
        seconds.append(await campus.pool.fetchval(TIMES, at_s(start_s)))
        usage = await chain_usage(campus.pool, start_s)
        assert usage.lines == people
        transactions.append(usage.transactions)
        per_line.append(usage.settle_cu / people)
        all_per_line.append(usage.all_cu / people)
        batches = usage.batches
    total_s = time.monotonic() - started
    what = "interval planned to closed: attest, mint, open, settle batches, close, all finalized"
    return [
        Figure(f"settle_{people}_lines", "s", tuple(seconds), people, total_s, what),
        Figure(
            "settle_transactions", "transactions", tuple(transactions), people, total_s, f"{batches} of them settle"
        ),
        Figure(
            "settle_cu_per_line", "CU", tuple(per_line), people, total_s, "compute units of the settle steps / lines"
        ),
        Figure(
            "interval_cu_per_line", "CU", tuple(all_per_line), people, total_s, "attest, mint, open and close included"
        ),
    ]


def energy(people: int, seed: int) -> list[int]:
    """Returns the Wh of each participant: pairs that sell and buy the same, so that all of them trade."""
    rng = random.Random(seed)  # noqa: S311 - random numbers of a benchmark
    return [sign * wh for wh in (rng.randint(100, 1000) for _ in range(people // 2)) for sign in (1, -1)]
