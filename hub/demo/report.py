"""The closing report of a demo: what was stored, cleared and settled, and whether three tellings of it agree.

The third telling is the ground truth: the rules coded a second time (``ground_truth``), on the registers that the
simulator logged as served.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from hub.chain.client import ChainClient
from hub.clock import to_s
from hub.demo import repository
from hub.demo.truth import Expected, ExpectedInterval, expected_figures
from hub.postgres.db import Connection, Pool, Record
from hub.settings import Settings
from hub.settlement.reconcile import steady_sums

COMPARED = ("sold_wh", "bought_wh", "credit_micros", "debit_micros", "utility_wh", "utility_micros")
NO_TRUTH = "the ground truth needs the log of the registers served, and this hub keeps none: set truth_file"


async def close_the_books(
    pool: Pool, settings: Settings, starts: Sequence[datetime], *, missed: str | None = None
) -> dict[str, Any]:
    """Compares the three tellings of these intervals and returns the report.

    ``missed`` says why the demo ends before it has what it was to wait for; then nothing more is asked of the chain.
    """
    chain_differences: list[str] = []
    if missed is None:
        async with ChainClient(settings.rpc_url) as chain:
            # the sums over everything; each of the intervals was compared when it was reconciled
            chain_differences = (await steady_sums(pool, chain)).differences
    async with pool.acquire() as connection:
        first = await repository.first_start(connection)
        truth = expected_figures(settings, await repository.meters(connection), first, starts)
        return await make_report(connection, starts, truth, chain_differences, missed)


async def make_report(
    connection: Connection,
    starts: Sequence[datetime],
    truth: Expected | None,
    chain_differences: Sequence[str] = (),
    missed: str | None = None,
) -> dict[str, Any]:
    """The JSON object; ``truth`` gives the expected figures by interval start, None when unknown."""
    counts = await repository.totals(connection)
    rows = await repository.intervals(connection, starts)
    intervals = []
    for row in rows:
        lines = await repository.lines(connection, row["start_at"])
        shown = _interval(row)
        expected = None if truth is None else truth[to_s(row["start_at"])]
        shown["ground_truth_differences"] = [] if expected is None else _compare(shown, lines, expected)
        intervals.append(shown)
    reason = missed or (NO_TRUTH if truth is None and starts else None)
    agreed = bool(rows) and not chain_differences and not any(one["ground_truth_differences"] for one in intervals)
    reconciled = agreed and reason is None and all(row["state"] == "reconciled" for row in rows)
    return {
        **dict(counts.items()),
        "intervals": intervals,
        "chain_differences": list(chain_differences),
        "reconciled": reconciled,
        **({} if reason is None else {"reason": reason}),
    }


def _interval(row: Record) -> dict[str, Any]:
    seconds = (row["finalized_at"] - row["end_at"]).total_seconds() if row["finalized_at"] else None
    return {
        "start_at": row["start_at"].isoformat().replace("+00:00", "Z"),
        "state": row["state"],
        "import_wh": row["import_wh"],
        "export_wh": row["export_wh"],
        "traded_wh": row["traded_wh"],
        "minted_wh": row["minted_wh"],
        "utility_bought_wh": row["utility_bought_wh"],
        "utility_sold_wh": row["utility_sold_wh"],
        "price_mills": row["price_mills"],
        "lines": row["line_count"] or 0,
        "debit_micros": row["debit_micros"] or 0,
        "credit_micros": row["credit_micros"] or 0,
        "transactions": row["transactions"],
        "seconds_to_finalised": None if seconds is None else round(seconds, 3),
    }


def _compare(shown: Mapping[str, Any], lines: Sequence[Record], expected: ExpectedInterval) -> list[str]:
    """Every figure of the interval and of its participants that is not what the rules say, in words."""
    differences = _differing("the interval", shown, expected.figures, expected.figures)
    found, bills = {str(line["participant_id"]): line for line in lines}, expected.bills
    differences += [f"{name} is missing" for name in sorted(set(bills) - set(found))]
    differences += [f"{name} is not expected" for name in sorted(set(found) - set(bills))]
    for name in sorted(set(found) & set(bills)):
        differences += _differing(name, found[name], bills[name], COMPARED)
    return differences


def _differing(
    whose: str,
    found: Mapping[str, Any] | Record,
    expected: Mapping[str, Any],
    fields: Sequence[str] | Mapping[str, Any],
) -> list[str]:
    return [
        f"{whose}: {field} is {found[field]}, the ground truth says {expected[field]}"
        for field in fields
        if found[field] != expected[field]
    ]
