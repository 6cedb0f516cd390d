"""Runs slow targets of the Makefile and reports how long each took: `python -m bench.slow test-random`."""

import re
import resource
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence

from bench.common import ROOT, script
from bench.common.figures import Figure

TARGETS = tuple(re.findall(r"^([a-z-]+):.*## slow:", (ROOT / "Makefile").read_text(), re.MULTILINE))


def measure(targets: Sequence[str]) -> list[Figure]:
    return [figure for target in targets for figure in _took(target)]


def _took(target: str) -> Iterator[Figure]:
    started, before = time.monotonic(), _processor_s()
    done = subprocess.run(["make", target], cwd=ROOT, stdout=sys.stderr, check=False)
    seconds, processor_s = time.monotonic() - started, _processor_s() - before
    if done.returncode:
        raise SystemExit(f"make {target} failed: what it took is no figure")
    name = target.replace("-", "_")
    yield Figure(name, "s", (seconds,), 1, seconds, f"make {target}, from the command to its end")
    yield Figure(
        f"{name}_processor", "s", (processor_s,), 1, seconds, f"make {target}, processor time of all processes"
    )


def _processor_s() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def main() -> None:
    parser = script.make_parser(str(__doc__))
    parser.add_argument("targets", nargs="+", choices=TARGETS)
    args = script.parse(parser)
    script.report("slow", args, lambda: measure(args.targets))


if __name__ == "__main__":
    main()
