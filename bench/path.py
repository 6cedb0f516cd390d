"""Measures the path on this machine: ingest, clearing and settlement. `--json` ends with one object.

Everything runs on real servers on loopback, in a temporary folder that is removed; PostgreSQL and JetStream fsync.
"""

import argparse
import asyncio
import logging
import sys
import tempfile
from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path

from bench.common import clearing, ingest, script, settlement
from bench.common.figures import Figure
from bench.common.ingest import IngestSetup, LoadShape

PART_LIMIT_S = 900

FULL = (LoadShape(60, 4000, 5), LoadShape(1, 12_000, 5))
QUICK = (LoadShape(60, 120, 0.5), LoadShape(1, 600, 0.5))

Part = Callable[[Path, argparse.Namespace], Awaitable[list[Figure]]]


async def measure_ingest(folder: Path, args: argparse.Namespace) -> list[Figure]:
    """Measures readings/s and waiting times."""
    setup = IngestSetup(args.copies, limits(args), args.profile)
    return await ingest.measure(folder, QUICK if args.quick else FULL, runs=args.runs, setup=setup)


def limits(args: argparse.Namespace) -> dict[str, int]:
    """Returns the limits of ingest that are given on the command line; the others are the worker's."""
    return {name: getattr(args, name) for name in ("batch", "lanes") if getattr(args, name)}


async def measure_clearing(folder: Path, args: argparse.Namespace) -> list[Figure]:
    """Measures one auction, in memory and with the database."""
    counts = [100] if args.quick else [1000, 10_000]
    in_memory = [figure for count in counts for figure in clearing.in_memory(count, 3 * args.runs)]
    return in_memory + await clearing.through_database(folder, counts, args.runs, args.profile)


async def measure_settlement(folder: Path, args: argparse.Namespace) -> list[Figure]:
    """Measures the settlement of one interval's lines."""
    return await settlement.measure(folder, 30 if args.quick else 1000, runs=args.runs, profiles=args.profile)


PARTS: dict[str, Part] = {
    "ingest": measure_ingest,
    "clearing": measure_clearing,
    "settlement": measure_settlement,
}


async def measure(args: argparse.Namespace) -> list[Figure]:
    figures: list[Figure] = []
    for name in [args.only] if args.only else PARTS:
        print(f"measuring {name} ...", file=sys.stderr, flush=True)
        with tempfile.TemporaryDirectory(prefix="peerwatt-bench-") as folder:
            async with asyncio.timeout(PART_LIMIT_S):
                figures += await PARTS[name](Path(folder), args)
    return figures


def parse_arguments(argv: Sequence[str] | None = None) -> argparse.Namespace:
    parser = script.make_parser(str(__doc__))
    parser.add_argument("--only", choices=list(PARTS))
    parser.add_argument("--copies", type=int, choices=range(1, 5), metavar="1-4", default=1, help="of ingest (1)")
    parser.add_argument("--batch", type=int, metavar="FRAMES", help="most frames in a batch (default: the worker's)")
    parser.add_argument("--lanes", type=int, metavar="N", help="batches at once in a copy (default: the worker's)")
    parser.add_argument("--profile", type=Path, metavar="DIR", help="sample where time goes; slows every figure")
    args = script.parse(parser, argv)
    if args.profile:
        args.profile.mkdir(parents=True, exist_ok=True)
    return args


def main() -> None:
    args = parse_arguments()
    # nats-py ends every connection in a way that asyncio warns of
    logging.getLogger("asyncio").setLevel(logging.ERROR)
    setup = {"ingest_copies": args.copies, "ingest_limits": limits(args)}
    script.report("path", args, lambda: asyncio.run(measure(args)), lambda _: setup)


if __name__ == "__main__":
    main()
