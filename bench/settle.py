"""Settles an interval of 10,000 trades among 1,000 participants, from plan to closed. `--json` ends with one object.

It runs on the embedded ledger and PostgreSQL with fsync, both on this machine. The trades are forward trades; clearing
is not in the figure. Single transactions are measured separately: one at a time, from sending to `finalized`.
"""

import argparse
import asyncio
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from bench.common import script
from bench.common.book import SalesBook
from bench.common.figures import Figure, percentile
from bench.common.sampler import sampled
from bench.common.servers import durable_postgres, fresh_pool
from bench.common.settlement import chain_usage
from hub.chain.bootstrap import Bootstrap
from hub.chain.client import ChainClient
from hub.chain.instructions import trading
from support.servers.ledger import running_ledger
from support.settlement.campus import SettlingCampus, wallet_of

TIMED = ("seconds_to_closed", "cu_per_line", "transactions", "submit_to_finalised_p95_ms")
POLL_S = 0.005


async def measure(folder: Path, args: argparse.Namespace) -> list[Figure]:
    (folder / "ledger").mkdir(mode=0o700)
    keys = Bootstrap.random()
    async with durable_postgres(folder / "postgres") as server, fresh_pool(server) as (_, pool):
        with running_ledger(folder / "ledger", keys) as ledger:
            async with ChainClient(ledger.url) as chain:
                print(f"founding {args.people} participants ...", file=sys.stderr, flush=True)
                campus = await SettlingCampus.create(pool, chain, keys, args.people)
                settled = await settle_intervals(campus, args)
                return [*settled, *await send_withdrawals(campus, args.singles, args.runs)]


async def settle_intervals(campus: SettlingCampus, args: argparse.Namespace) -> list[Figure]:
    """Settles ``runs`` intervals, each with a book of its own."""
    seconds, transactions, per_line, started = [], [], [], time.monotonic()
    for number in range(args.runs):
        book = SalesBook.random(campus.people, args.trades, number)
        start_s = await campus.pass_interval(book.energy_wh)
        await book.insert(campus.pool, start_s)
        await campus.clear()
        submitter = await campus.submitter()
        with sampled(args.profile / "settle.txt" if args.profile else None):
            planned = time.monotonic()
            await campus.plan()
            assert await submitter.settle_due() == [start_s]
            seconds.append(time.monotonic() - planned)
        usage = await chain_usage(campus.pool, start_s)
        assert (usage.trades, usage.lines) == (args.trades, args.people), usage
        transactions.append(usage.transactions)
        per_line.append(usage.settle_cu / usage.lines)
    total_s = time.monotonic() - started
    what = f"{args.trades} trades, {args.people} lines: planned, attest, mint, open, settle, close, all finalized"
    return [
        Figure("seconds_to_closed", "s", tuple(seconds), args.trades, total_s, what),
        Figure("cu_per_line", "CU", tuple(per_line), args.people, total_s, "compute units of the settle steps / lines"),
        Figure("transactions", "transactions", tuple(transactions), args.people, total_s, "of one interval, all kinds"),
    ]


async def send_withdrawals(campus: SettlingCampus, count: int, runs: int) -> list[Figure]:
    """Sends ``count`` withdrawals of one micro in each run, one after the other."""
    started = time.monotonic()
    waits_ms = [[await _withdrawal_ms(campus, number) for number in range(count)] for _ in range(runs)]
    seconds, what = time.monotonic() - started, f"one withdrawal at a time, {count} in a run, sent until finalized"
    return [
        Figure(f"submit_to_finalised_p{percent}_ms", "ms",
               tuple(percentile(run, percent) for run in waits_ms), count, seconds, what)
        for percent in (50, 95)
    ]  # fmt: skip


async def _withdrawal_ms(campus: SettlingCampus, number: int) -> float:
    wallet = wallet_of(campus.people[number % len(campus.people)])
    withdrawal = trading.withdraw(wallet.pubkey(), campus.keys.mint, 1)
    signed = await campus.chain.prepare([withdrawal], [campus.keys.fee_payer, wallet])
    sent = time.monotonic()
    await campus.chain.send(signed)
    await campus.chain.wait(signed, poll_s=POLL_S)
    return 1000 * (time.monotonic() - sent)


def parse_arguments(argv: Sequence[str] | None = None) -> argparse.Namespace:
    parser = script.make_parser(str(__doc__))
    parser.add_argument("--trades", type=int, metavar="N", help="of an interval (10000; 60 with --quick)")
    parser.add_argument("--people", type=int, metavar="N", help="an even number who all trade (1000; 20 with --quick)")
    parser.add_argument("--profile", type=Path, metavar="DIR", help="sample where time goes; slows every figure")
    args = script.parse(parser, argv)
    args.trades = args.trades or (60 if args.quick else 10_000)
    args.people = args.people or (20 if args.quick else 1000)
    args.singles = 5 if args.quick else 100
    if args.people % 2 or not args.people // 2 <= args.trades <= (args.people // 2) ** 2:
        parser.error("--people is even, and --trades at least half of it and at most the square of that half")
    if args.profile:
        args.profile.mkdir(parents=True, exist_ok=True)
    return args


def headline(figures: Sequence[Figure]) -> dict[str, Any]:
    """Returns the medians for the top of the JSON object."""
    return {figure.name: round(figure.median, 3) for figure in figures if figure.name in TIMED}


def main() -> None:
    args = parse_arguments()
    with tempfile.TemporaryDirectory(prefix="peerwatt-bench-") as folder:
        script.report("settle", args, lambda: asyncio.run(measure(Path(folder), args)), headline)


if __name__ == "__main__":
    main()
