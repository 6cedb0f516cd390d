"""Measures how long the embedded ledger takes to start on a long log, and to verify it. `--json` ends with one object.

The log is made in this process, block by block, on a clock of its own. Start and verification are the operator's
commands, measured from the start of the process to its answer.
"""

import argparse
import hashlib
import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from solders.hash import Hash
from solders.keypair import Keypair
from solders.message import Message
from solders.system_program import TransferParams, transfer
from solders.transaction import VersionedTransaction

from bench.common import script
from bench.common.figures import Figure, ratio
from hub.clock import ManualClock, SystemClock
from hub.ledger.chain import Chain
from hub.ledger.genesis import Genesis, write_genesis
from hub.ledger.guarded_clock import GuardedClock
from hub.ledger.opening import Limits
from hub.ledger.serving import open_folder

WALLETS = 1000
LIMIT_S = 1200


@dataclass(frozen=True)
class LogShape:
    """Payments in a block, and the time between blocks; the last block is just before the start."""

    payments_per_block: int
    spacing_ms: int


SPREAD = LogShape(2, 2000)
"""Over a day; an empty block seals each block, as it does when a client waits for every answer."""
BUSY = LogShape(20, 40)
"""500 payments a second, more than the ledger takes: a start has to read the most blocks with valid blockhashes."""


def make_ledger(folder: Path, count: int, shape: LogShape) -> int:
    """Makes a ledger with ``count`` payments among a thousand wallets; returns its number of blocks."""
    wallets = [Keypair.from_seed(number.to_bytes(32, "little")) for number in range(WALLETS)]
    write_genesis(folder, Genesis(wallets[0].pubkey(), {wallet.pubkey(): 10**12 for wallet in wallets}))
    rounds = -(-count // shape.payments_per_block)
    clock = ManualClock(SystemClock().now_ms() - rounds * shape.spacing_ms - 1000)
    chain = open_folder(folder, GuardedClock(clock, clock.now_ms), Limits())
    left = count
    while left:
        _pay(chain, wallets, left, min(shape.payments_per_block, left))
        left -= min(shape.payments_per_block, left)
        if shape is SPREAD:
            chain.finalise()
        clock.advance(shape.spacing_ms)
    blocks = chain.repository.counts().blocks
    chain.close()
    return blocks


def _pay(chain: Chain, wallets: Sequence[Keypair], left: int, count: int) -> None:
    blockhash, _ = chain.latest_blockhash()
    for number in range(left - count, left):
        payment = _payment(wallets[number % WALLETS], wallets[(number * 7 + 1) % WALLETS], number, blockhash)
        chain.check(payment)
        chain.submit(payment, bytes(payment))
    chain.commit()


def _payment(payer: Keypair, to: Keypair, number: int, blockhash: Hash) -> VersionedTransaction:
    lamports = 1 + number % 1000
    instruction = transfer(TransferParams(from_pubkey=payer.pubkey(), to_pubkey=to.pubkey(), lamports=lamports))
    return VersionedTransaction(Message.new_with_blockhash([instruction], payer.pubkey(), blockhash), [payer])


def start_s(folder: Path, *flags: str) -> float:
    """Starts the ledger; returns the time in s from the command to its ready line."""
    started = time.monotonic()
    command = [sys.executable, "-m", "hub.cli", "ledger", "--state", str(folder), "--port", "0", *flags]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True) as process:
        assert process.stdout is not None
        line = process.stdout.readline()
        seconds = time.monotonic() - started
        process.terminate()
    assert json.loads(line)["ready"]
    return seconds


def read_s(folder: Path) -> float:
    """Reads and hashes every file of the ledger; returns the seconds."""
    started = time.monotonic()
    for file in sorted(path for path in folder.rglob("*") if path.is_file()):
        with file.open("rb") as data:
            hashlib.file_digest(data, "sha256")
    return time.monotonic() - started


def verify_s(folder: Path, *flags: str) -> float:
    """Verifies the ledger; returns the time in s from the command to its exit."""
    started = time.monotonic()
    command = [sys.executable, "-m", "hub.cli", "ledger", "verify", str(folder), "--json", *flags]
    process = subprocess.run(command, capture_output=True, text=True, check=True, timeout=LIMIT_S)
    assert json.loads(process.stdout)["verified"]
    return time.monotonic() - started


def measure(folder: Path, count: int, runs: int) -> list[Figure]:
    """Measures starts and verifications of a spread and of a busy log."""
    figures = []

    def add_figure(name: str, values: Sequence[float], what: str) -> None:
        figures.append(Figure(f"{name}_{count}", "s", tuple(values), count, sum(values), what))

    spread, busy = folder / "spread", folder / "busy"
    print(f"making {count} transactions, twice ...", file=sys.stderr, flush=True)
    blocks = make_ledger(spread, count, SPREAD)
    add_figure("start", [start_s(spread) for _ in range(runs)], f"command to ready line; {blocks} blocks over a day")
    add_figure("read", [read_s(spread) for _ in range(runs)], "the ledger's files read and hashed, nothing decoded")
    figures.append(ratio(f"start_{count}_to_plain", figures[-1].median, figures[-2]))
    add_figure("start_whole", [start_s(spread, "--check-all")], "with --check-all, as without a snapshot")
    add_figure("verify_log", [verify_s(spread, "--no-execute")], "ledger verify --no-execute")
    add_figure("verify", [verify_s(spread)], "ledger verify: every transaction run again")
    blocks = make_ledger(busy, count, BUSY)
    add_figure(
        "start_busy", [start_s(busy) for _ in range(runs)], f"{blocks} blocks, all of them just before the start"
    )
    return figures


def parse_arguments(argv: Sequence[str] | None = None) -> argparse.Namespace:
    parser = script.make_parser(str(__doc__))
    parser.add_argument("--transactions", type=int, metavar="N", help="how many (100000; 200 with --quick)")
    args = script.parse(parser, argv)
    args.transactions = args.transactions or (200 if args.quick else 100_000)
    return args


def main() -> None:
    args = parse_arguments()
    with tempfile.TemporaryDirectory(prefix="peerwatt-bench-") as folder:
        script.report("ledger_start", args, lambda: measure(Path(folder), args.transactions, args.runs))


if __name__ == "__main__":
    main()
