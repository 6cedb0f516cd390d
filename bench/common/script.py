"""What every benchmark's command does around its measurement: arguments, the machine, the table and `--json`."""

import argparse
import json
import time
from collections.abc import Callable, Sequence
from typing import Any

from bench.common import machine
from bench.common.figures import Figure, table
from bench.common.machine import Effort


def parser(about: str) -> argparse.ArgumentParser:
    """The flags that all have."""
    made = argparse.ArgumentParser(description=about, formatter_class=argparse.RawDescriptionHelpFormatter)
    made.add_argument("--json", action="store_true", help="one JSON object on the last line")
    made.add_argument("--quick", action="store_true", help="a few seconds, for a test of this script: no figures")
    made.add_argument("--runs", type=int, choices=range(1, 21), metavar="1-20", help="repeats (3; 1 with --quick)")
    return made


def parsed(parser: argparse.ArgumentParser, words: Sequence[str] | None = None) -> argparse.Namespace:
    """The arguments, with the number of runs."""
    args = parser.parse_args(words)
    args.runs = args.runs or (1 if args.quick else 3)
    return args


def report(
    bench: str,
    args: argparse.Namespace,
    measure: Callable[[], Sequence[Figure]],
    facts: Callable[[Sequence[Figure]], dict[str, Any]] = lambda _: {},
) -> None:
    """Measures and prints; ``facts`` are what the JSON object says beside the figures."""
    about, before, begun = machine.describe(), machine.load_average(), Effort.now()
    print(machine.line(about))
    figures = measure()
    after, ended = machine.load_average(), Effort.now()
    seconds, others = round(ended.at - begun.at, 1), ended.others_since(begun)
    print(f"load average before {before}, after {after}; {others} cores busy with other work; {seconds} s in all\n")
    print(table(figures))
    if args.json:
        found = {
            "bench": bench,
            "measured_at": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
            "machine": about,
            "load_average": {"before": before, "after": after},
            "others_busy_cores": others,
            "quick": args.quick,
            "seconds": seconds,
            **facts(figures),
            "figures": {figure.name: figure.as_json() for figure in figures},
        }
        print(json.dumps(found))
