"""`peerwatt-hub audit`: checks a hub from outside, by an RPC node, published journals and a participant's proofs."""

import argparse
import asyncio
import json
import os
from collections import Counter
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import Any
from uuid import UUID

from solders.pubkey import Pubkey

from hub.audit.audit import Audit, AuditedInterval, audit, interval_starts
from hub.audit.checks import Verdict
from hub.audit.own_checks import ParticipantEvidence
from hub.audit.proofs import read_proof
from hub.audit.reader import fetch_journals, read_site
from hub.chain.client import ChainClient
from hub.clock import rfc3339_s, to_s
from hub.errors import ConfigError
from hub.market.published_journal import read_journal
from hub.settings import add_json_argument

_TIMEOUT_S = 30


def add_arguments(parser: argparse.ArgumentParser) -> None:
    _add(parser, "url", "an RPC node that you trust", metavar="URL", required="PEERWATT_AUDIT_URL" not in os.environ)
    journals = parser.add_mutually_exclusive_group()
    _add(journals, "hub", "the hub whose published journals are checked", metavar="URL")
    _add_files(journals, "journal", "a journal that was kept, in place of asking the hub")
    _add(
        parser,
        "from",
        "first start, RFC 3339",
        "a day before the end",
        type=_unix_seconds,
        dest="from_s",
        metavar="TIME",
    )
    _add(parser, "to", "end, exclusive, RFC 3339", "now", type=_unix_seconds, dest="to_s", metavar="TIME")
    add_json_argument(parser)
    own = parser.add_argument_group("for a participant", "what nobody else knows, for the checks named own_...")
    _add(own, "participant", "your id (a UUID), as the hub shows it with your day", type=UUID, metavar="ID")
    _add(own, "wallet", "your wallet's address, base58", type=_address, metavar="PUBKEY")
    _add_files(own, "proof", "the proof of one of your readings, best of both ends of an interval")
    _add(own, "ask-limit", "your standing ask limit in mills per kWh, if you set one", type=int, metavar="MILLS")
    _add(own, "bid-limit", "your standing all-in bid limit in mills per kWh, if set", type=int, metavar="MILLS")


def _add(group: argparse._ActionsContainer, name: str, purpose: str, default: str = "", **options: Any) -> None:
    """Adds a flag; ``default`` says in words what holds without it."""
    variable = _variable(name)
    text = f"{purpose} (env: {variable}{default and f'; default {default}'})"
    group.add_argument(f"--{name}", default=os.environ.get(variable), help=text, **options)


def _add_files(group: argparse._ActionsContainer, name: str, purpose: str) -> None:
    variable = _variable(name)
    defaults = [Path(path) for path in os.environ.get(variable, "").split(os.pathsep) if path]
    text = f"{purpose}; may be repeated (env: {variable}, with {os.pathsep} between files)"
    group.add_argument(f"--{name}", type=Path, metavar="FILE", action="append", default=defaults, help=text)


def _variable(name: str) -> str:
    return f"PEERWATT_AUDIT_{name.replace('-', '_').upper()}"


def _unix_seconds(text: str) -> int:
    try:
        time = datetime.fromisoformat(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError("write the time as RFC 3339, like 2026-06-01T10:00:00Z") from error
    if time.tzinfo is None:
        raise argparse.ArgumentTypeError("the time has no zone: write it in UTC with a Z at the end")
    return to_s(time)


def _address(text: str) -> bytes:
    try:
        return bytes(Pubkey.from_string(text))
    except ValueError as error:
        raise argparse.ArgumentTypeError(f"not an address: {error}") from error


def run(args: argparse.Namespace) -> int:
    result = asyncio.run(_audit(args))
    if args.json:
        print(json.dumps(result.to_json()))
    else:
        print("\n".join(report_lines(result)))
    return 1 if result.findings else 0


async def _audit(args: argparse.Namespace) -> Audit:
    evidence, kept_journals = _evidence(args), _read_journals(args.journal)
    async with ChainClient(args.url, timeout_s=_TIMEOUT_S) as chain:
        site = await read_site(chain)
        starts = interval_starts(site, args.from_s, args.to_s)
        journals = await fetch_journals(args.hub, starts) if args.hub and not kept_journals else kept_journals
        return await audit(chain, site, journals, starts, evidence)


def _evidence(args: argparse.Namespace) -> ParticipantEvidence | None:
    if args.participant is None and args.wallet is None and not args.proof:
        return None
    return ParticipantEvidence(
        participant_id=args.participant,
        wallet=args.wallet,
        ask_limit_mills=args.ask_limit,
        bid_limit_mills=args.bid_limit,
        proofs=tuple(read_proof(path) for path in args.proof),
    )


def _read_journals(paths: list[Path]) -> Mapping[int, bytes | None]:
    """Reads the journals in these files, by the interval's start in Unix seconds."""
    journals: dict[int, bytes | None] = {}
    for path in paths:
        try:
            data = path.read_bytes()
        except OSError as error:
            raise ConfigError(f"{path} can not be read ({error.strerror}): name a journal that the hub gave") from error
        journals[read_journal(data).start_s] = data
    return journals


def report_lines(result: Audit) -> list[str]:
    """Returns the audit in words: a line for each check of each interval, and a summary."""
    lines = [f"FAILED  programs: {finding}" for finding in result.program_findings]
    lines = lines or ["ok      programs are the published ones"]
    for interval in result.intervals:
        lines += _interval_lines(interval)
    verdicts = Counter(check.verdict for interval in result.intervals for check in interval.results)
    counts = ", ".join(f"{verdicts[verdict]} {verdict.value}" for verdict in Verdict)
    summary = f"{result.findings} findings" if result.findings else "nothing was found"
    return [*lines, f"{len(result.intervals)} intervals at {result.url}, {counts}: {summary}"]


def _interval_lines(interval: AuditedInterval) -> list[str]:
    span = f"{rfc3339_s(interval.start_s)} to {rfc3339_s(interval.end_s)}"
    if all(result.verdict is Verdict.UNCHECKED for result in interval.results):
        return [f"{span}: nothing to check: {interval.results[0].details[0]}"]
    lines = [span]
    for result in interval.results:
        if result.verdict is Verdict.OK:
            lines.append(f"  ok           {result.check}")
        elif result.verdict is Verdict.UNCHECKED:
            lines.append(f"  not checked  {result.check}: {result.details[0]}")
        else:
            lines.append(f"  FAILED       {result.check}: {result.meaning}")
            lines += [f"                 {finding}" for finding in result.details]
    return lines
