"""Runs slow targets of the Makefile and reports how long each took: `python -m bench.slow test-random --json`."""

import re
import resource
import subprocess
import sys
import time
from functools import partial

from bench.common import ROOT, script
from bench.common.figures import Figure

TARGETS = tuple(re.findall(r"^([a-z-]+):.*## slow:", (ROOT / "Makefile").read_text(), re.MULTILINE))


def measure(target: str) -> list[Figure]:
    """Runs a target to its end.

    Raises:
        SystemExit: it failed.
    """
    started, before = time.monotonic(), _processor_s()
    done = subprocess.run(["make", target], cwd=ROOT, stdout=sys.stderr, check=False)
    seconds, processor_s = time.monotonic() - started, _processor_s() - before
    if done.returncode:
        raise SystemExit(f"make {target} failed: what it took is no figure")
    name = target.replace("-", "_")
    return [
        Figure(name, "s", (seconds,), 1, seconds, f"make {target}, from the command to its end"),
        Figure(f"{name}_processor", "s", (processor_s,), 1, seconds, f"make {target}, processor time of all processes"),
    ]


def _processor_s() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def main() -> None:
    parser = script.make_parser(str(__doc__))
    parser.add_argument("targets", nargs="+", choices=TARGETS)
    args = script.parse(parser)
    for target in args.targets:
        script.report("slow", args, partial(measure, target))


if __name__ == "__main__":
    main()
