"""Renders the figures of a run into docs/validator.md, between two marks; the text around them is written by hand."""

from collections.abc import Mapping, Sequence
from typing import Any

from bench.common.marks import replaced

BEGIN, END = "<!-- measured: written by make validator -->", "<!-- end of measured -->"
STAGES = {
    "start": "the validator, from its start until it is healthy",
    "deploy": "five programs through the loader and their first accounts, `chain deploy`",
    "payment_confirmed": "a single payment, from sending it until it is confirmed (median)",
    "payment_finalized": "the same until it is final",
    "participants": "{people} participants: registered, with an account, money and a mandate",
    "settle": "an interval of {lines} lines, from its plan until everything is final and it is closed",
    "settle_empty": "an interval without trades, the same",
    "conformance": "the conformance tests",
    "settlement": "the settlement tests",
}


def replace_figures(page: str, figures: Mapping[str, Any]) -> str:
    """Returns the page with these figures in place of the earlier ones."""
    return replaced(page, BEGIN, END, tables(figures))


def tables(figures: Mapping[str, Any]) -> str:
    """Renders the tables: tests, seconds of each stage, compute units of each instruction on both nodes."""
    machine = figures["machine"]
    machine_text = (
        f"{machine['cpu']}, {machine['cores']} cores, {figures['others_busy_cores']} of them busy with other work"
    )
    software = f"{figures['validator']}, {machine['litesvm']}, commit {machine['commit']}"
    lines = [
        f"{figures['measured_at']}, {machine_text}; {software}.",
        "",
        *_suites(figures["suites"]),
        "",
        *_seconds(figures),
        "",
        *_compute_units(figures["compute_units"]),
    ]
    return "\n".join(lines)


def _suites(suites: Mapping[str, Any]) -> list[str]:
    rows = ["| tests | passed | failed |", "|---|---:|---|"]
    for name, suite in suites.items():
        rows.append(f"| {name} | {suite['passed']} | {', '.join(suite['failed']) or 'none'} |")
    return rows


def _seconds(figures: Mapping[str, Any]) -> list[str]:
    rows = ["| stage | Agave, s | embedded ledger, s |", "|---|---:|---:|"]
    ledger = figures["seconds"]["ledger"]
    for name, seconds in figures["seconds"]["validator"].items():
        stage = STAGES[name].format(people=figures["people"], lines=figures["lines"])
        rows.append(f"| {stage} | {seconds:.1f} | {f'{ledger[name]:.1f}' if name in ledger else ''} |")
    return rows


def _compute_units(rows: Sequence[Mapping[str, Any]]) -> list[str]:
    lines = ["| instruction | calls | Agave, CU | embedded ledger, CU | |", "|---|---:|---:|---:|---|"]
    for row in rows:
        validator, ledger = _span(row["validator_cu"]), _span(row["ledger_cu"])
        verdict = "same" if row["validator_cu"] == row["ledger_cu"] else "**differs**"
        lines.append(f"| {row['instruction']} | {len(row['validator_cu'])} | {validator} | {ledger} | {verdict} |")
    return lines


def _span(values: Sequence[int]) -> str:
    if not values:
        return "-"
    lowest, highest = min(values), max(values)
    return f"{lowest:,}" if lowest == highest else f"{lowest:,} - {highest:,}"
