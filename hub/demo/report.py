"""The closing report of a demo: what was stored, cleared and settled, and whether database, chain and truth agree.

The ground truth is an independent implementation of the rules (``ground_truth``) on the registers that the simulator
logged as served. It is compared with the revision of each interval that is in force.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from hub.chain.client import ChainClient
from hub.clock import to_s
from hub.demo import repository
from hub.demo.true_energy import MeterTruth
from hub.demo.truth import Expected, ExpectedInterval, Stored, StoredEnergy, expected_figures
from hub.postgres.db import Connection, Pool, Record
from hub.settings import Settings
from hub.settlement.reconcile import compare_sums_repeatedly

COMPARED = ("sold_wh", "bought_wh", "credit_micros", "debit_micros", "utility_wh", "utility_micros")
NO_TRUTH = "the ground truth needs the log of the registers served, and this hub keeps none: set truth_file"


async def make_closing_report(
    pool: Pool, settings: Settings, starts: Sequence[datetime], *, missed: str | None = None
) -> dict[str, Any]:
    """Compares database, chain and ground truth of these intervals and returns the report.

    ``missed`` says why the demo ends before it has all intervals; then the chain is not read.
    """
    chain_differences: list[str] = []
    if missed is None:
        async with ChainClient(settings.rpc_url) as chain:
            # the sums over all intervals; each interval was compared when it was reconciled
            chain_differences = (await compare_sums_repeatedly(pool, chain)).differences
    async with pool.acquire() as connection:
        stored = _stored(await repository.energies(connection, starts))
        own_clocks = await repository.were_synchronised(connection, starts)
        meters = await repository.meters(connection)
        truth = expected_figures(settings, meters, starts, stored, own_clocks=own_clocks)
        return await build_report(connection, starts, truth, chain_differences, missed)


async def build_report(
    connection: Connection,
    starts: Sequence[datetime],
    truth: Expected | None,
    chain_differences: Sequence[str] = (),
    missed: str | None = None,
) -> dict[str, Any]:
    """Returns the JSON object; ``truth`` has the expected figures by interval start, None when they are not known."""
    counts = await repository.totals(connection)
    rows = await repository.intervals(connection, starts)
    intervals = []
    for row in rows:
        lines = await repository.lines(connection, row["start_at"])
        figures = _interval(row)
        expected = None if truth is None else truth.by_start[to_s(row["start_at"])]
        figures["estimated"] = [] if expected is None else list(expected.estimated)
        figures["ground_truth_differences"] = [] if expected is None else _compare(figures, lines, expected)
        intervals.append(figures)
    wrong_totals = [] if truth is None else list(truth.totals)
    reason = missed or (NO_TRUTH if truth is None and starts else None)
    differ = any(each["ground_truth_differences"] for each in intervals) or bool(wrong_totals or chain_differences)
    reconciled = bool(rows) and not differ and reason is None and all(row["state"] == "reconciled" for row in rows)
    return {
        **dict(counts.items()),
        "intervals": intervals,
        "faults": 0 if truth is None else sum(map(len, truth.faults.values())),
        "energy_differences": wrong_totals,
        "chain_differences": list(chain_differences),
        "reconciled": reconciled,
        **({} if reason is None else {"reason": reason}),
    }


def _stored(rows: Sequence[Record]) -> Stored:
    """Sorts the revisions of each meter's interval; ``rows`` have the first revisions before the others."""
    stored: dict[int, dict[str, StoredEnergy]] = {}
    for row in rows:
        meters, name = stored.setdefault(to_s(row["start_at"]), {}), row["meter_id"]
        energy = MeterTruth(row["import_wh"], row["export_wh"], row["quality"])
        first = energy if row["revision"] == 1 else meters[name].first
        meters[name] = StoredEnergy(first, energy)
    return stored


def _interval(row: Record) -> dict[str, Any]:
    seconds = (row["finalized_at"] - row["end_at"]).total_seconds() if row["finalized_at"] else None
    return {
        "start_at": row["start_at"].isoformat().replace("+00:00", "Z"),
        "state": row["state"],
        "revision": row["revision"],
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


def _compare(figures: Mapping[str, Any], lines: Sequence[Record], expected: ExpectedInterval) -> list[str]:
    """Returns a sentence for every figure of the interval or of a participant that differs from the ground truth."""
    differences = [*expected.differences, *_differences("the interval", figures, expected.figures, expected.figures)]
    stored, bills = {str(line["participant_id"]): line for line in lines}, expected.bills
    differences += [f"{name} is missing" for name in sorted(set(bills) - set(stored))]
    differences += [f"{name} is not expected" for name in sorted(set(stored) - set(bills))]
    for name in sorted(set(stored) & set(bills)):
        differences += _differences(name, stored[name], bills[name], COMPARED)
    return differences


def _differences(
    subject: str,
    stored: Mapping[str, Any] | Record,
    expected: Mapping[str, Any],
    fields: Sequence[str] | Mapping[str, Any],
) -> list[str]:
    return [
        f"{subject}: {field} is {stored[field]}, the ground truth says {expected[field]}"
        for field in fields
        if stored[field] != expected[field]
    ]
