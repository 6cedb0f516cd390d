"""`peerwatt-hub ledger verify | export | countersign`: an auditor's actions on a ledger's log."""

import argparse
import json
import os
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

from solders.hash import Hash
from solders.pubkey import Pubkey

from hub.chain.programs import NAMES, program_binary
from hub.clock import SystemClock, rfc3339_s, to_ms
from hub.keys import load
from hub.ledger.blocks import Header
from hub.ledger.countersignature import Countersignature
from hub.ledger.errors import LedgerDamagedError, LedgerError, LogRefusedError
from hub.ledger.store.log_source import FILE_NAME, open_log, write_export
from hub.ledger.store.repository import Repository
from hub.ledger.verification import Expected, Report, verify
from hub.settings import add_json_argument


@dataclass(frozen=True)
class Action:
    """One action of `peerwatt-hub ledger`."""

    purpose: str
    add_arguments: Callable[[argparse.ArgumentParser], None]
    run: Callable[[argparse.Namespace], int]


def _add_log(parser: argparse.ArgumentParser) -> None:
    state = _environment("STATE")
    parser.add_argument(
        "log",
        type=Path,
        metavar="LOG",
        nargs="?" if state else None,
        default=state,
        help="the ledger's state folder, or a file that `ledger export` wrote (env: PEERWATT_LEDGER_STATE)",
    )
    add_json_argument(parser)


def _add_checks(parser: argparse.ArgumentParser) -> None:
    _add_log(parser)
    parser.add_argument(
        "--no-execute",
        action="store_true",
        default=_environment("NO_EXECUTE") == "1",
        help="do not run the transactions again: quicker, and it says so (env: PEERWATT_LEDGER_NO_EXECUTE=1)",
    )
    parser.add_argument(
        "--programs",
        type=Path,
        metavar="DIR",
        default=_environment("PROGRAMS"),
        help="more places for the programs that the genesis names: DIR/*.so (env: PEERWATT_LEDGER_PROGRAMS)",
    )
    parser.add_argument(
        "--genesis-hash",
        type=_hash,
        metavar="HASH",
        default=_environment("GENESIS_HASH"),
        help="refuse the log of any other chain; base58 (env: PEERWATT_LEDGER_GENESIS_HASH; default any)",
    )


def _add_verify(parser: argparse.ArgumentParser) -> None:
    _add_checks(parser)
    parser.add_argument(
        "--auditor",
        type=_pubkey,
        metavar="PUBKEY",
        default=_environment("AUDITOR"),
        help="refuse a log of which this auditor countersigned nothing; base58 (env: PEERWATT_LEDGER_AUDITOR)",
    )
    parser.add_argument(
        "--countersignature",
        type=Path,
        metavar="FILE",
        action="append",
        default=[Path(file) for file in (_environment("COUNTERSIGNATURES") or "").split(os.pathsep) if file],
        help="one that the auditor kept, which shows whether the log was cut off since; may be repeated "
        f"(env: PEERWATT_LEDGER_COUNTERSIGNATURES, with {os.pathsep} between files)",
    )


def _add_export(parser: argparse.ArgumentParser) -> None:
    _add_log(parser)
    out = _environment("OUT")
    parser.add_argument(
        "--out",
        type=Path,
        metavar="FILE",
        required=out is None,
        default=out,
        help="where it is written, as JSON lines, with gzip if *.gz (env: PEERWATT_LEDGER_OUT)",
    )


def _add_countersign(parser: argparse.ArgumentParser) -> None:
    _add_checks(parser)
    source = parser.add_mutually_exclusive_group(required=True)
    source.add_argument("--key", type=Path, metavar="FILE", help="sign with this key: the auditor's file, mode 0600")
    source.add_argument("--add", type=Path, metavar="FILE", help="store what was signed elsewhere: a file")
    block = parser.add_mutually_exclusive_group()
    block.add_argument(
        "--day",
        type=date.fromisoformat,
        metavar="YYYY-MM-DD",
        help="the UTC day whose last block is signed; default: yesterday",
    )
    block.add_argument("--head", action="store_true", help="sign the log's last block in its place")


def _environment(name: str) -> str | None:
    return os.environ.get(f"PEERWATT_LEDGER_{name}") or None


def _hash(text: str) -> Hash:
    try:
        return Hash.from_string(text)
    except Exception as error:  # ParseHashError is no ValueError
        raise argparse.ArgumentTypeError(f"not a hash: {error}") from error


def _pubkey(text: str) -> Pubkey:
    try:
        return Pubkey.from_string(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(f"not a public key: {error}") from error


def _verify(args: argparse.Namespace) -> int:
    countersignatures = [_read_countersignature(path) for path in args.countersignature]
    started_s = time.monotonic()
    report = _report(args, Expected(args.genesis_hash, args.auditor, countersignatures))
    _print(args, {**report.as_json(), "seconds": round(time.monotonic() - started_s, 3)}, _report_text(report))
    return 0


def _export(args: argparse.Namespace) -> int:
    with open_log(args.log) as source:
        try:
            head, count = write_export(source, args.out)
        except LedgerDamagedError as error:
            raise LogRefusedError(str(error)) from error
    _print(
        args,
        {"blocks": count, "head": {"slot": head.slot, "hash": str(Hash(head.hash))}},
        f"{args.out}: {count} blocks, the last is {head.slot} ({Hash(head.hash)})",
    )
    return 0


def _countersign(args: argparse.Namespace) -> int:
    countersignature = _read_countersignature(args.add) if args.add else None
    before_ms = 2**62 if args.head or countersignature else _day_end_ms(args.day)
    key = load(args.key) if args.key else None
    countersignatures = [countersignature] if countersignature else []
    report = _report(args, Expected(args.genesis_hash, before_ms=before_ms, countersignatures=countersignatures))
    if key is not None:
        countersignature = Countersignature.sign(report.genesis.hash, _day_head(report, before_ms), key)
    if countersignature is None:
        raise LedgerError("Name the auditor's key with --key, or a countersignature with --add")
    if args.log.is_dir():
        repository = Repository(args.log / FILE_NAME)
        try:
            repository.add_countersignature(countersignature)
        finally:
            repository.close()
    print(countersignature.to_json())
    return 0


def _day_end_ms(day: date | None) -> int:
    """Returns when a UTC day ended, by default yesterday, in Unix milliseconds."""
    now_ms = SystemClock().now_ms()
    if day is None:
        return now_ms // 86_400_000 * 86_400_000
    end_ms = to_ms(datetime(day.year, day.month, day.day, tzinfo=UTC) + timedelta(days=1))
    if end_ms > now_ms:
        raise LedgerError(f"{day} is not over, so that more blocks may follow: sign an earlier day, or --head")
    return end_ms


def _day_head(report: Report, before_ms: int) -> Header:
    if report.day_head is None:
        raise LedgerError(
            f"The log begins at {rfc3339_s(report.genesis.time_ms // 1000)} and has no block from before "
            f"{rfc3339_s(before_ms // 1000)}: sign a later day, or its last block with --head"
        )
    return report.day_head


def _report(args: argparse.Namespace, expected: Expected) -> Report:
    with open_log(args.log) as source:
        try:
            return verify(source, expected, None if args.no_execute else _binaries(args.programs))
        except LedgerDamagedError as error:
            raise LogRefusedError(str(error)) from error


def _binaries(folder: Path | None) -> list[bytes]:
    binaries = [program_binary(name) for name in NAMES]
    return binaries if folder is None else binaries + [file.read_bytes() for file in sorted(folder.glob("*.so"))]


def _read_countersignature(path: Path) -> Countersignature:
    try:
        return Countersignature.from_json(path.read_text())
    except ValueError as error:
        raise LedgerError(f"{path}: {error}; name a file with what `ledger countersign` printed") from error


def _report_text(report: Report) -> str:
    verified = [
        "links and signatures of all blocks",
        "transactions and results as they were signed",
        "signatures, blockhashes and uniqueness of all transactions",
    ]
    if report.executed:
        verified.append("every transaction run again, with the same result and the same accounts")
    if report.stored_accounts:
        verified.append("stored accounts and index")
    lines = [
        f"{report.blocks} blocks with {report.transactions} transactions, signed by {report.authority}.",
        f"Chain: {Hash(report.genesis.hash)}, begun {rfc3339_s(report.genesis.time_ms // 1000)}.",
        f"Head: block {report.head.slot} of {rfc3339_s(report.head.time_ms // 1000)}, {Hash(report.head.hash)}.",
        f"Verified: {'; '.join(verified)}.",
    ]
    if not report.executed:
        lines.append("Not verified: that results and accounts follow from the transactions (--no-execute).")
    if not report.stored_accounts:
        lines.append("Not verified: what the ledger's own file holds besides its log (this is an export).")
    lines += [
        f"Countersigned by {each.auditor}: block {each.slot} of {rfc3339_s(each.time_ms // 1000)}."
        for each in report.countersigned
    ]
    return "\n".join(lines)


def _print(args: argparse.Namespace, value: dict[str, Any], text: str) -> None:
    print(json.dumps(value) if args.json else text)


ACTIONS = {
    "verify": Action("check a whole log from its genesis", _add_verify, _verify),
    "export": Action("write the log to one file", _add_export, _export),
    "countersign": Action("check a log, and sign a day's last block as an auditor", _add_countersign, _countersign),
}
