"""`make validator`: builds Agave's test validator if it is missing, deploys the programs on it, settles a campus there
and on the embedded ledger, runs the conformance and settlement tests, and writes docs/validator.md and its raw figures.
"""

import argparse
import asyncio
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

from bench.common import ROOT, machine
from bench.common.machine import ProcessorTime
from bench.validator import StageError
from bench.validator.campus import Played, play
from bench.validator.compute_units import compare
from bench.validator.node import Validator, running_validator
from bench.validator.page import written_into
from bench.validator.suites import SUITES, Outcome, run_suite
from hub.chain.bootstrap import Bootstrap
from support.servers.ledger import running_ledger
from support.settlement.campus import INTERVAL_S

PAGE, FIGURES = ROOT / "docs/validator.md", ROOT / "docs/figures"
BUILD = Path(__file__).parent / "build"
PEOPLE = 24


def say(text: str) -> None:
    print(f"validator: {text}", file=sys.stderr, flush=True)


def built() -> Path:
    """The validator's program, built when it is missing.

    Raises:
        StageError: it can not be built here.
    """
    done = subprocess.run([str(BUILD)], stdout=subprocess.PIPE, text=True, check=False)
    if done.returncode:
        raise StageError(f"There is no validator to run on: {BUILD.relative_to(ROOT)} says above why")
    return Path(done.stdout.strip())


def chain_command(action: str, url: str, *words: str) -> dict[str, Any]:
    """`peerwatt-hub chain ACTION` as an operator types it.

    Raises:
        StageError: the chain is not ready after it.
    """
    command = [sys.executable, "-m", "hub.cli", "chain", action, "--url", url, "--json", *words]
    clean = {name: value for name, value in os.environ.items() if not name.startswith("PEERWATT_")}
    done = subprocess.run(command, cwd=ROOT, stdout=subprocess.PIPE, text=True, check=False, env=clean)
    if done.returncode:
        raise StageError(f"`chain {action}` on {url} ended with {done.returncode}: {done.stdout}")
    return dict(json.loads(done.stdout))


def deploy(url: str, keys: Path) -> float:
    """Programs and first accounts; the seconds."""
    begun = time.monotonic()
    chain_command("deploy", url, "--keys", str(keys), "--interval-s", str(INTERVAL_S))
    seconds = time.monotonic() - begun
    status = chain_command("status", url)
    ours = sum(one["matches"] for one in status["programs"])
    say(f"{ours} programs are the published ones, deployed in {seconds:.1f} s")
    return seconds


def on_validator(validator: Validator, keys: Path, people: int, folder: Path) -> tuple[Played, dict[str, Outcome]]:
    """Deployment, campus and tests on the validator."""
    seconds = {"start": validator.start_s, "deploy": deploy(validator.url, keys)}
    say(f"settling a campus of {people} on {validator.url}")
    played = asyncio.run(play(validator.url, Bootstrap.load_or_create(keys), people, folder / "postgres"))
    outcomes = {}
    for name in SUITES:
        say(f"running the {name} tests on {validator.url}")
        outcomes[name] = run_suite(name, validator.url, keys, folder)
    seconds |= played.seconds | {name: outcome.seconds for name, outcome in outcomes.items()}
    return Played(played.lines, seconds, played.compute_units), outcomes


def on_ledger(keys: Path, people: int, folder: Path) -> Played:
    """The same campus on the embedded ledger, whose virtual machine runs in the hub's own process."""
    bootstrap = Bootstrap.load_or_create(keys)
    with running_ledger(folder / "ledger", bootstrap) as ledger:
        return asyncio.run(play(ledger.url, bootstrap, people, folder / "postgres"))


def measure(program: Path, people: int) -> dict[str, Any]:
    """Everything, as the figures' file has it."""
    before, about = ProcessorTime.now(), machine.describe()
    with tempfile.TemporaryDirectory(prefix="peerwatt-validator-") as name:
        folder = Path(name)
        for part in ("on-validator", "on-ledger"):
            (folder / part).mkdir(mode=0o700)
        keys = folder / "keys"
        rich = Bootstrap.load_or_create(keys).fee_payer.pubkey()
        say("settling the campus on the embedded ledger")
        ledger = on_ledger(keys, people, folder / "on-ledger")
        with running_validator(program, folder / "on-validator", rich) as validator:
            agave, outcomes = on_validator(validator, keys, people, folder / "on-validator")
    return {
        "bench": "validator",
        "measured_at": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
        "machine": about,
        "others_busy_cores": ProcessorTime.now().others_since(before),
        "validator": f"Agave {validator.version}",
        "people": people,
        "lines": agave.lines,
        "seconds": {"validator": _rounded(agave.seconds), "ledger": _rounded(ledger.seconds)},
        "suites": {name: asdict(outcome) for name, outcome in outcomes.items()},
        "compute_units": [asdict(row) for row in compare(ledger.compute_units, agave.compute_units)],
    }


def _rounded(seconds: Mapping[str, float]) -> dict[str, float]:
    return {name: round(value, 2) for name, value in seconds.items()}


def main() -> int:
    """Runs it; 1 when a test failed or a stage did not come to its end."""
    parser = argparse.ArgumentParser(prog="make validator", description=__doc__)
    parser.add_argument("--program", type=Path, metavar="FILE", help="a solana-test-validator that is there already")
    parser.add_argument("--people", type=int, metavar="N", default=PEOPLE, help=f"participants, even ({PEOPLE})")
    parser.add_argument("--keep", action="store_true", help="print the figures, and leave docs/ as it is")
    args = parser.parse_args()
    try:
        found = measure(args.program or built(), args.people)
    except StageError as error:
        say(str(error))
        return 1
    if args.keep:
        print(json.dumps(found))
    else:
        file = FIGURES / f"validator-{found['measured_at'][:10]}.json"
        file.write_text(json.dumps(found) + "\n")
        PAGE.write_text(written_into(PAGE.read_text(), found))
        say(f"written: {PAGE.relative_to(ROOT)}, {file.relative_to(ROOT)}")
    failed = [test for suite in found["suites"].values() for test in suite["failed"]]
    for test in failed:
        say(f"FAILED {test}")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
