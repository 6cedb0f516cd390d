"""Measures small things that decisions rest on: the agent's memory, and how fast a plain leaf is guessed."""

import hashlib
import subprocess
import sys
import time

from bench.common import ROOT, script
from bench.common.figures import Figure

RESIDENT = "print(int(open('/proc/self/statm').read().split()[1]) * 4096)"
LARGEST_WH = 5000
"""What a flat uses in a quarter of an hour is less."""


def measure(runs: int) -> list[Figure]:
    alone = _resident_mib("agent_imports", "import edge.agent", runs, "resident memory after the agent's imports")
    both = _resident_mib(
        "agent_imports_with_pandas",
        "import pandas, edge.agent",
        runs,
        "the same when sqlite-utils finds pandas and numpy",
    )
    return [alone, both, _guesses(runs)]


def _resident_mib(name: str, imports: str, runs: int, what: str) -> Figure:
    started, values = time.perf_counter(), []
    for _ in range(runs):
        done = subprocess.run(
            [sys.executable, "-c", f"{imports}\n{RESIDENT}"], cwd=ROOT, capture_output=True, text=True, check=True
        )
        values.append(int(done.stdout) / 2**20)
    return Figure(name, "MiB", tuple(values), 1, time.perf_counter() - started, what)


def _guesses(runs: int) -> Figure:
    """Tries every energy against a leaf that hides nothing but the energy."""
    known = b"peerwatt/interval/1" + bytes(64)
    leaf = hashlib.sha256(known + LARGEST_WH.to_bytes(8, "big")).digest()
    values = []
    for _ in range(runs):
        started = time.perf_counter()
        guess = next(
            wh for wh in range(LARGEST_WH + 1) if hashlib.sha256(known + wh.to_bytes(8, "big")).digest() == leaf
        )
        values.append(1000 * (time.perf_counter() - started))
        assert guess == LARGEST_WH
    return Figure(
        "guess_plain_leaf", "ms", tuple(values), LARGEST_WH, sum(values) / 1000, "every energy up to 5,000 Wh tried"
    )


def main() -> None:
    args = script.parse(script.make_parser(str(__doc__)))
    script.report("small", args, lambda: measure(args.runs))


if __name__ == "__main__":
    main()
