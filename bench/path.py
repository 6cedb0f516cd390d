"""The path once, in figures for this machine: publish to durable, clearing, settlement. `--json` ends with one object.

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
from bench.common.ingest import Crew, Shape

PART_LIMIT_S = 900

FULL = (Shape(60, 4000, 5), Shape(1, 12_000, 5))
QUICK = (Shape(60, 120, 0.5), Shape(1, 600, 0.5))

Part = Callable[[Path, argparse.Namespace], Awaitable[list[Figure]]]


async def measure_ingest(folder: Path, args: argparse.Namespace) -> list[Figure]:
    """Readings/s and waiting times."""
    crew = Crew(args.copies, limits(args), args.profile)
    return await ingest.measure(folder, QUICK if args.quick else FULL, runs=args.runs, crew=crew)


def limits(args: argparse.Namespace) -> dict[str, int]:
    """What was asked for, where it differs from the worker's own."""
    return {name: getattr(args, name) for name in ("batch", "lanes") if getattr(args, name)}


async def measure_clearing(folder: Path, args: argparse.Namespace) -> list[Figure]:
    """One auction, in memory and through the database."""
    counts = [100] if args.quick else [1000, 10_000]
    memory = [figure for count in counts for figure in clearing.in_memory(count, 3 * args.runs)]
    return memory + await clearing.through_database(folder, counts, args.runs, args.profile)


async def measure_settlement(folder: Path, args: argparse.Namespace) -> list[Figure]:
    """One interval's lines onto the chain."""
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


def arguments(words: Sequence[str] | None = None) -> argparse.Namespace:
    parser = script.parser(str(__doc__))
    parser.add_argument("--only", choices=list(PARTS))
    parser.add_argument("--copies", type=int, choices=range(1, 5), metavar="1-4", default=1, help="of ingest (1)")
    parser.add_argument("--batch", type=int, metavar="FRAMES", help="most frames in a batch (default: the worker's)")
    parser.add_argument("--lanes", type=int, metavar="N", help="batches at once in a copy (default: the worker's)")
    parser.add_argument("--profile", type=Path, metavar="DIR", help="sample where time goes; slows every figure")
    args = script.parsed(parser, words)
    if args.profile:
        args.profile.mkdir(parents=True, exist_ok=True)
    return args


def main() -> None:
    args = arguments()
    # nats-py ends every connection in a way that makes asyncio say so
    logging.getLogger("asyncio").setLevel(logging.ERROR)
    asked = {"ingest_copies": args.copies, "ingest_limits": limits(args)}
    script.report("path", args, lambda: asyncio.run(measure(args)), lambda _: asked)


if __name__ == "__main__":
    main()
