"""Measures the ex-post auction: the clearing alone, the auction with its checks, and all of it with the database."""

import random
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any
from uuid import UUID

from bench.common.figures import Figure, ratio
from bench.common.plain import sort_plainly
from bench.common.sampler import sampled
from bench.common.servers import durable_postgres, fresh_pool
from hub.clock import SystemClock, at_s
from hub.market.auction import run
from hub.market.auction.clearing import clear
from hub.market.auction.residuals import MeteredEnergy, residual_orders
from hub.market.auction.run import AuctionInput
from hub.market.auction.service import clear_attested
from hub.market.funds import ParticipantFunds
from hub.market.orders import Rates
from hub.postgres.db import Pool
from hub.units import PriceMills, Wh
from support.rows.site_rows import add_rates, lead
from support.rows.worked_example import AMPLE

START_S, INTERVAL_S = 1_780_308_000, 900
RATES = Rates(*map(PriceMills, (100, 25, 5, 2200, 5000)))


class AmpleFunds:
    """Gives every participant ample funds without a chain, whose time is measured with the settlement."""

    async def funds(self, wallets: Mapping[UUID, str], start_s: int, end_s: int) -> Mapping[UUID, ParticipantFunds]:
        del start_s, end_s
        return dict.fromkeys(wallets, AMPLE)


def campus(count: int, seed: int = 7) -> list[MeteredEnergy]:
    """Returns participants with random energy and limits; about half of them sell."""
    rng = random.Random(seed)  # noqa: S311 - random numbers of a benchmark
    people = []
    for number in range(count):
        imported, exported = rng.randint(0, 2000), rng.randint(0, 2000)
        ask, bid = PriceMills(rng.randint(2200, 4000)), PriceMills(rng.randint(3000, 5000))
        people.append(MeteredEnergy(UUID(int=number + 1), Wh(imported), Wh(exported), True, ask, bid))
    return people


def in_memory(count: int, runs: int) -> list[Figure]:
    """Measures the clearing alone, and the auction around it."""
    people = campus(count)
    funds = {person.participant_id: AMPLE for person in people}
    orders = residual_orders(START_S, people, (), funds, {}, RATES)
    inputs = AuctionInput(START_S, people, RATES, funds)
    trades = len(clear(START_S, orders).trades)
    size = f"{len(orders)} residual orders, {trades} trades"
    sort = _timed(f"sort_{count}", lambda: sort_plainly(orders), count, runs, "both sides of the book sorted by price")
    cleared = _timed(f"clear_{count}", lambda: clear(START_S, orders), count, runs, f"price and trades alone; {size}")
    auction = _timed(
        f"auction_{count}", lambda: run.run_auction(inputs), count, runs, f"orders, clearing, utility, checks; {size}"
    )
    return [
        sort,
        cleared,
        ratio(f"clear_{count}_to_plain", sort.median, cleared),
        auction,
        ratio(f"auction_{count}_to_plain", sort.median, auction),
    ]


def _timed(name: str, work: Callable[[], object], count: int, runs: int, what: str) -> Figure:
    values = []
    for _ in range(runs):
        started = time.perf_counter()
        work()
        values.append(1000 * (time.perf_counter() - started))
    return Figure(name, "ms", tuple(values), count, sum(values) / 1000, what)


async def through_database(folder: Path, counts: list[int], runs: int, profiles: Path | None) -> list[Figure]:
    """Measures ``clear_attested`` on attested intervals, with fsync."""
    figures = []
    async with durable_postgres(folder / "postgres") as server:
        for count in counts:
            async with fresh_pool(server) as (_, pool):
                figures.append(await _cleared(pool, count, runs, profiles))
    return figures


async def _cleared(pool: Pool, count: int, runs: int, profiles: Path | None) -> Figure:
    people = campus(count)
    await _insert_site(pool, people)
    values, trades = [], 0
    for number in range(runs):
        start_s = START_S + number * INTERVAL_S
        await _attest(pool, people, start_s)
        lease = await lead(pool)
        started = time.perf_counter()
        with sampled(profiles / f"clear_attested_{count}.txt" if profiles else None):
            (cleared,) = await clear_attested(pool, lease, SystemClock(), AmpleFunds(), limit=1)
        values.append(1000 * (time.perf_counter() - started))
        trades = cleared.trades
        # usually an interval is settled long before the next one is cleared
        await pool.execute("UPDATE intervals SET state = 'closed'")
    what = f"clear_attested: read, auction, {trades} trades stored and committed; funds known"
    return Figure(f"clear_attested_{count}", "ms", tuple(values), count, sum(values) / 1000, what)


async def _insert_site(pool: Pool, people: list[MeteredEnergy]) -> None:
    await add_rates(pool)
    await pool.execute("INSERT INTO gateways (gateway_id, building) VALUES ('gw-north', 'North')")
    participants = [
        (person.participant_id, f"Participant {n}", f"wallet{n}", person.ask_limit_mills, person.bid_limit_mills)
        for n, person in enumerate(people)
    ]
    columns = ["participant_id", "name", "wallet", "ask_limit_mills", "bid_limit_mills"]
    await _copy(pool, "participants", columns, participants)
    meters = [
        (_meter(n), "gw-north", person.participant_id, "bidirectional", 10_000, f"{n}", "North")
        for n, person in enumerate(people)
    ]
    columns = ["meter_id", "gateway_id", "participant_id", "kind", "rated_power_w", "serial", "building"]
    await _copy(pool, "meters", columns, meters)
    await pool.execute("ANALYZE")


async def _attest(pool: Pool, people: list[MeteredEnergy], start_s: int) -> None:
    """Inserts the rows that the oracle would store."""
    start, end = at_s(start_s), at_s(start_s + INTERVAL_S)
    imported, exported = sum(person.import_wh for person in people), sum(person.export_wh for person in people)
    await pool.execute(
        "INSERT INTO intervals (start_at, end_at, state, attested_at) VALUES ($1, $2, 'attested', $2)", start, end
    )
    await pool.execute(
        "INSERT INTO attestations VALUES ($1, 1, $2, $3, 0, $4, $5, $6)",
        start, bytes(32), len(people), imported, exported, end,
    )  # fmt: skip
    rows = [
        (start, 1, _meter(n), person.participant_id, n, person.import_wh, person.export_wh, "valid", bytes(16))
        for n, person in enumerate(people)
    ]
    columns = ["start_at", "revision", "meter_id", "participant_id", "leaf_index", "import_wh", "export_wh", "quality",
               "blinding"]  # fmt: skip
    await _copy(pool, "interval_readings", columns, rows)


async def _copy(pool: Pool, table: str, columns: list[str], rows: list[Any]) -> None:
    async with pool.acquire() as connection:
        await connection.copy_records_to_table(table, columns=columns, records=rows)


def _meter(number: int) -> str:
    return f"METER_{number:05}"
