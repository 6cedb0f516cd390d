"""The closing report of a demo: what was stored, cleared and settled, and whether three tellings of it agree.

The third telling is the ground truth: the market's rules coded a second time (in `tests/`), on the registers that
the simulator logged as served.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from hub.clock import to_s
from hub.db import Connection, Record
from hub.demo import repository
from hub.demo.truth import Expected

COMPARED = ("sold_wh", "bought_wh", "credit_micros", "debit_micros", "utility_wh")


async def make_report(connection: Connection, starts: list[datetime], truth: Expected | None) -> dict[str, Any]:
    """The JSON object; ``truth`` gives the expected figures by interval start and participant, None when unknown."""
    counts = await repository.totals(connection)
    rows = await repository.intervals(connection, starts)
    intervals, faults = [], []
    for row in rows:
        shown = _interval(row)
        lines = await repository.lines(connection, row["start_at"])
        differences = _compare(lines, truth.get(to_s(row["start_at"]), {})) if truth is not None else []
        shown["ground_truth_differences"] = differences
        faults += differences
        intervals.append(shown)
    agreed = bool(rows) and truth is not None and not faults and all(row["state"] == "reconciled" for row in rows)
    report = {**dict(counts.items()), "intervals": intervals, "reconciled": agreed}
    if truth is None:
        report["reason"] = "the ground truth needs a checkout of the repository: tests/ is not installed"
    return report


def _interval(row: Record) -> dict[str, Any]:
    seconds = (row["finalized_at"] - row["end_at"]).total_seconds() if row["finalized_at"] else None
    return {
        "start_at": row["start_at"].isoformat().replace("+00:00", "Z"),
        "state": row["state"],
        "import_wh": row["import_wh"],
        "export_wh": row["export_wh"],
        "traded_wh": row["traded_wh"],
        "utility_bought_wh": row["utility_bought_wh"],
        "utility_sold_wh": row["utility_sold_wh"],
        "price_mills": row["price_mills"],
        "lines": row["line_count"] or 0,
        "debit_micros": row["debit_micros"] or 0,
        "credit_micros": row["credit_micros"] or 0,
        "transactions": row["transactions"],
        "seconds_to_finalised": None if seconds is None else round(seconds, 3),
    }


def _compare(lines: list[Record], expected: Mapping[str, Mapping[str, int]]) -> list[str]:
    found = {str(line["participant_id"]): line for line in lines}
    differences = [f"{name} is missing" for name in sorted(set(expected) - set(found))]
    differences += [f"{name} is not expected" for name in sorted(set(found) - set(expected))]
    for name in sorted(set(found) & set(expected)):
        differences += [
            f"{name}: {field} is {found[name][field]}, the ground truth says {expected[name][field]}"
            for field in COMPARED
            if found[name][field] != expected[name][field]
        ]
    return differences
