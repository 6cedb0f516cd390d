"""A whole interval's settlement on the embedded ledger: from the plan to `closed`, every line a real account."""

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
USED = """
SELECT (SELECT line_count FROM settlements WHERE start_at = $1) AS lines,
       (SELECT count(*) FROM trades WHERE start_at = $1) AS trades,
       count(*) AS transactions, count(*) FILTER (WHERE kind = 'settle') AS batches,
       coalesce(sum(compute_units) FILTER (WHERE kind = 'settle'), 0)::bigint AS settle_cu,
       sum(compute_units)::bigint AS all_cu
FROM blockchain_transactions WHERE start_at = $1 AND state = 'finalized'
"""


@dataclass(frozen=True)
class Used:
    """What a closed interval took on the chain."""

    lines: int
    trades: int
    transactions: int
    batches: int
    settle_cu: int
    all_cu: int


async def used(pool: Pool, start_s: int) -> Used:
    """What the interval took."""
    row = await pool.fetchrow(USED, at_s(start_s))
    assert row is not None
    return Used(**row)


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
    begun = time.monotonic()
    seconds, transactions, per_line, in_all = [], [], [], []
    batches = 0
    for number in range(runs):
        start_s = await campus.interval(energy(people, number))
        submitter = await campus.submitter()
        with sampled(profiles / "settle.txt" if profiles else None):
            assert await submitter.settle_due() == [start_s]
        seconds.append(await campus.pool.fetchval(TIMES, at_s(start_s)))
        spent = await used(campus.pool, start_s)
        assert spent.lines == people
        transactions.append(spent.transactions)
        per_line.append(spent.settle_cu / people)
        in_all.append(spent.all_cu / people)
        batches = spent.batches
    took = time.monotonic() - begun
    what = "interval planned to closed: attest, mint, open, settle batches, close, all finalized"
    return [
        Figure(f"settle_{people}_lines", "s", tuple(seconds), people, took, what),
        Figure("settle_transactions", "transactions", tuple(transactions), people, took, f"{batches} of them settle"),
        Figure("settle_cu_per_line", "CU", tuple(per_line), people, took, "compute units of the settle steps / lines"),
        Figure("interval_cu_per_line", "CU", tuple(in_all), people, took, "attest, mint, open and close included"),
    ]


def energy(people: int, seed: int) -> list[int]:
    """Pairs that sell and buy the same, so that everybody trades."""
    dice = random.Random(seed)  # noqa: S311 - a benchmark's own dice
    return [sign * wh for wh in (dice.randint(100, 1000) for _ in range(people // 2)) for sign in (1, -1)]
