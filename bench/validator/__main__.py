"""`make validator`: measures settlement on Agave's test validator beside the embedded ledger.

It builds the validator if it is missing, deploys the programs on it, settles a campus there and on the embedded ledger,
runs the conformance and settlement tests, and writes docs/validator.md and its raw figures.
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
from bench.common.machine_factor import machine_factor
from bench.validator import StageError
from bench.validator.campus import CampusRun, settle_campus
from bench.validator.compute_units import compare
from bench.validator.node import Validator, running_validator
from bench.validator.page import replace_figures
from bench.validator.suites import SUITES, SuiteResult, run_suite
from hub.chain.bootstrap import Bootstrap
from support.servers.ledger import running_ledger
from support.settlement.campus import INTERVAL_S

PAGE, FIGURES = ROOT / "docs/validator.md", ROOT / "docs/figures"
BUILD = Path(__file__).parent / "build"
PEOPLE = 24


def say(text: str) -> None:
    print(f"validator: {text}", file=sys.stderr, flush=True)


def ensure_built() -> Path:
    """Builds the validator's program if it is missing; returns its path.

    Raises:
        StageError: it can not be built here.
    """
    process = subprocess.run([str(BUILD)], stdout=subprocess.PIPE, text=True, check=False)
    if process.returncode:
        raise StageError(f"There is no validator to run on: {BUILD.relative_to(ROOT)} says above why")
    return Path(process.stdout.strip())


def chain_command(action: str, url: str, *options: str) -> dict[str, Any]:
    """Runs `peerwatt-hub chain ACTION` as an operator does; returns its JSON.

    Raises:
        StageError: the command says that the chain is not ready.
    """
    command = [sys.executable, "-m", "hub.cli", "chain", action, "--url", url, "--json", *options]
    environment = {name: value for name, value in os.environ.items() if not name.startswith("PEERWATT_")}
    process = subprocess.run(command, cwd=ROOT, stdout=subprocess.PIPE, text=True, check=False, env=environment)
    if process.returncode:
        raise StageError(f"`chain {action}` on {url} ended with {process.returncode}: {process.stdout}")
    return dict(json.loads(process.stdout))


def deploy(url: str, keys: Path) -> float:
    """Deploys the programs and founds their first accounts; returns the seconds that it took.

    Raises:
        StageError: the chain is not ready after it.
    """
    started = time.monotonic()
    chain_command("deploy", url, "--keys", str(keys), "--interval-s", str(INTERVAL_S))
    seconds = time.monotonic() - started
    status = chain_command("status", url)
    matching = sum(program["matches"] for program in status["programs"])
    say(f"{matching} programs are the published ones, deployed in {seconds:.1f} s")
    return seconds


def on_validator(
    validator: Validator, keys: Path, people: int, folder: Path
) -> tuple[CampusRun, dict[str, SuiteResult]]:
    """Runs deployment, campus and tests on the validator.

    Raises:
        StageError: the deployment or the campus failed.
    """
    seconds = {"start": validator.start_s, "deploy": deploy(validator.url, keys)}
    say(f"settling a campus of {people} on {validator.url}")
    campus_run = asyncio.run(settle_campus(validator.url, Bootstrap.load_or_create(keys), people, folder / "postgres"))
    results = {}
    for name in SUITES:
        say(f"running the {name} tests on {validator.url}")
        results[name] = run_suite(name, validator.url, keys, folder)
    seconds |= campus_run.seconds | {name: result.seconds for name, result in results.items()}
    return CampusRun(campus_run.lines, seconds, campus_run.compute_units), results


def on_ledger(keys: Path, people: int, folder: Path) -> CampusRun:
    """Runs the same campus on the embedded ledger, whose virtual machine runs in one process."""
    bootstrap = Bootstrap.load_or_create(keys)
    with running_ledger(folder / "ledger", bootstrap) as ledger:
        return asyncio.run(settle_campus(ledger.url, bootstrap, people, folder / "postgres"))


def measure(program: Path, people: int) -> dict[str, Any]:
    """Measures both nodes; returns the content of the figures' file.

    Raises:
        StageError: a stage failed.
    """
    load, machine_description, factor = machine.load_average(), machine.describe(), machine_factor()
    before = ProcessorTime.now()
    with tempfile.TemporaryDirectory(prefix="peerwatt-validator-") as name:
        folder = Path(name)
        for node in ("on-validator", "on-ledger"):
            (folder / node).mkdir(mode=0o700)
        keys = folder / "keys"
        funded = Bootstrap.load_or_create(keys).fee_payer.pubkey()
        say("settling the campus on the embedded ledger")
        ledger = on_ledger(keys, people, folder / "on-ledger")
        with running_validator(program, folder / "on-validator", funded) as validator:
            agave, results = on_validator(validator, keys, people, folder / "on-validator")
    return {
        "bench": "validator",
        "measured_at": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
        "machine": machine_description,
        "machine_factor": factor,
        "load_average": {"before": load, "after": machine.load_average()},
        "others_busy_cores": ProcessorTime.now().others_since(before),
        "validator": f"Agave {validator.version}",
        "people": people,
        "lines": agave.lines,
        "seconds": {"validator": _rounded(agave.seconds), "ledger": _rounded(ledger.seconds)},
        "suites": {name: asdict(result) for name, result in results.items()},
        "compute_units": [asdict(row) for row in compare(ledger.compute_units, agave.compute_units)],
    }


def _rounded(seconds: Mapping[str, float]) -> dict[str, float]:
    return {name: round(value, 2) for name, value in seconds.items()}


def main() -> int:
    """Runs the measurement; returns 1 when a test or a stage failed."""
    parser = argparse.ArgumentParser(prog="make validator", description=__doc__)
    parser.add_argument("--program", type=Path, metavar="FILE", help="a solana-test-validator that is there already")
    parser.add_argument("--people", type=int, metavar="N", default=PEOPLE, help=f"participants, even ({PEOPLE})")
    parser.add_argument("--keep", action="store_true", help="print the figures, and leave docs/ as it is")
    args = parser.parse_args()
    try:
        figures = measure(args.program or ensure_built(), args.people)
    except StageError as error:
        say(str(error))
        return 1
    if args.keep:
        print(json.dumps(figures))
    else:
        file = FIGURES / f"validator-{figures['measured_at'][:10]}.json"
        file.write_text(json.dumps(figures) + "\n")
        PAGE.write_text(replace_figures(PAGE.read_text(), figures))
        say(f"written: {PAGE.relative_to(ROOT)}, {file.relative_to(ROOT)}")
    failed = [test for suite in figures["suites"].values() for test in suite["failed"]]
    for test in failed:
        say(f"FAILED {test}")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
