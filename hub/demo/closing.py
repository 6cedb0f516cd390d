"""The end of a demo that stops by itself: waits until its intervals are final, compares everything, and says it.

Corrections come a while after the readings that they follow from. So what differs is compared again, until nothing
changes any more.
"""

import asyncio
import contextlib
import time
from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Any

from hub.audit.audit import audit, interval_starts
from hub.audit.checks import Verdict
from hub.audit.reader import fetch_journals, read_site
from hub.chain.client import ChainClient
from hub.clock import rfc3339_s, to_s
from hub.demo import repository
from hub.demo.boot import Running
from hub.demo.report import make_closing_report
from hub.settlement.reconcile import compare_all

CHECK_EVERY_S = 2.0
SETTLED_WITHIN_S = 900
"""Seconds for the last corrections to come, to be attested, and to reach the chain."""
AUDIT_TIMEOUT_S = 30


async def close(
    demo: Running, starts: Sequence[datetime], stop: asyncio.Event, output: Callable[[str], None],
    *, missed: str | None = None,
) -> dict[str, Any]:  # fmt: skip
    """Returns the closing report on these intervals, with what `reconcile` and `audit` find.

    ``missed`` says why the demo ends before it has all intervals; then nothing is waited for.
    """
    deadline_s = time.monotonic() + SETTLED_WITHIN_S
    waiting, said, report = -1, False, None
    while missed is None:
        async with demo.pool.acquire() as connection:
            unfinished = await repository.unfinished(connection, starts)
        if unfinished != waiting and unfinished:
            output(f"waiting until {unfinished} of {len(starts)} intervals are final")
        waiting = unfinished
        report = None if unfinished else await make_closing_report(demo.pool, demo.settings, starts)
        if report is not None and not report["reconciled"] and not said:
            said = True
            output("not all agrees yet: compared again while corrections may come")
        if (report is not None and report["reconciled"]) or stop.is_set() or time.monotonic() >= deadline_s:
            break
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(stop.wait(), CHECK_EVERY_S)
    if report is None:
        report = await make_closing_report(demo.pool, demo.settings, starts, missed=missed)
    if missed is None:
        report |= await _checked(demo, starts)
        report["reconciled"] &= not (report["reconcile_differences"] or report["audit_findings"])
    return report


async def _checked(demo: Running, starts: Sequence[datetime]) -> dict[str, Any]:
    """Returns what the commands `reconcile` and `audit` find: differences, and checks that failed."""
    settings = demo.settings
    first_s, end_s = to_s(starts[0]), to_s(starts[-1]) + settings.interval_s
    async with ChainClient(settings.rpc_url, timeout_s=AUDIT_TIMEOUT_S) as chain:
        compared = await compare_all(demo.pool, chain)
        site = await read_site(chain)
        range_s = interval_starts(site, first_s, end_s)
        audited = await audit(chain, site, await fetch_journals(demo.url, range_s), range_s, None)
    failed = [
        f"{rfc3339_s(interval.start_s)} {result.check}: {'; '.join(result.details)}"
        for interval in audited.intervals
        for result in interval.results
        if result.verdict is Verdict.FAILED
    ]
    return {
        "reconcile_checked": compared.checked,
        "reconcile_differences": compared.differences,
        "audit_checked": len(audited.intervals),
        "audit_findings": [*audited.program_findings, *failed],
    }


def in_words(report: dict[str, Any]) -> list[str]:
    """Returns what the report says, in a few lines."""
    intervals = report["intervals"]
    wrong = [text for each in intervals for text in each["ground_truth_differences"]] + report["energy_differences"]
    estimated, corrected = sum(len(each["estimated"]) for each in intervals), sum(e["revision"] > 1 for e in intervals)
    energy = (
        f"{sum(e['import_wh'] or 0 for e in intervals)} Wh in and {sum(e['export_wh'] or 0 for e in intervals)} out"
    )
    lines = [
        f"faults: {report['faults']} on {report['meters']} meters",
        f"intervals: {len(intervals)}, {corrected} of them corrected, with {estimated} energies that nobody can know",
        f"bills: {energy}, {_agree(wrong, 'as the registers say')}",
    ]
    if "reconcile_checked" in report:
        checked, audited = report["reconcile_checked"], report["audit_checked"]
        differences = [*report["reconcile_differences"], *report["chain_differences"]]
        lines.append(f"reconcile: {checked} closed intervals, {_agree(differences, 'database and chain agree')}")
        lines.append(f"audit: {audited} intervals, {_agree(report['audit_findings'], 'nothing FAILED')}")
    return lines


def _agree(differences: Sequence[str], good: str) -> str:
    return f"{len(differences)} DIFFERENCES: {'; '.join(differences[:3])}" if differences else good
