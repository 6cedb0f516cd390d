"""The parts that every benchmark's command shares: arguments, the machine's description, the table and `--json`."""

import argparse
import json
import statistics
import time
from collections.abc import Callable, Sequence
from typing import Any

from bench.common import machine
from bench.common.figures import Figure, table
from bench.common.machine import ProcessorTime
from bench.common.machine_factor import REFERENCE_S, machine_factor


def make_parser(description: str) -> argparse.ArgumentParser:
    """Returns a parser with the flags that all benchmarks have."""
    parser = argparse.ArgumentParser(description=description, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--json", action="store_true", help="one JSON object on the last line")
    parser.add_argument("--quick", action="store_true", help="a few seconds, for a test of this script: no figures")
    parser.add_argument("--runs", type=int, choices=range(1, 21), metavar="1-20", help="repeats (3; 1 with --quick)")
    return parser


def parse(parser: argparse.ArgumentParser, argv: Sequence[str] | None = None) -> argparse.Namespace:
    """Parses the arguments and sets the default number of runs."""
    args = parser.parse_args(argv)
    args.runs = args.runs or (1 if args.quick else 3)
    return args


def report(
    bench: str,
    args: argparse.Namespace,
    measure: Callable[[], Sequence[Figure]],
    extra: Callable[[Sequence[Figure]], dict[str, Any]] = lambda _: {},
) -> None:
    """Measures and prints the figures; ``extra`` returns further fields of the JSON object."""
    description, before = machine.describe(), machine.load_average()
    print(machine.line(description), flush=True)
    mixes = 1 if args.quick else 5
    factors = [machine_factor(mixes)]
    started = ProcessorTime.now()
    figures = measure()
    ended, after = ProcessorTime.now(), machine.load_average()
    factors.append(machine_factor(mixes))
    factor = round(statistics.mean(factors), 2)
    seconds, others = round(ended.at_s - started.at_s, 1), ended.others_since(started)
    print(
        f"machine_factor {factor} ({factors[0]} before, {factors[1]} after); load average before {before}, after "
        f"{after}; {others} cores busy with other work; {seconds} s in all\n"
    )
    print(table(figures, factor))
    if args.json:
        result = {
            "bench": bench,
            "measured_at": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
            "machine": description,
            "machine_factor": factor,
            "machine_factors": {"before": factors[0], "after": factors[1]},
            "reference_s": REFERENCE_S,
            "load_average": {"before": before, "after": after},
            "others_busy_cores": others,
            "quick": args.quick,
            "seconds": seconds,
            **extra(figures),
            "figures": {figure.name: figure.as_json(factor) for figure in figures},
        }
        print(json.dumps(result))
