"""The figures of a run as docs/validator.md shows them, between two marks; the words around them are a person's."""

from collections.abc import Mapping, Sequence
from typing import Any

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


def written_into(page: str, found: Mapping[str, Any]) -> str:
    """The page with these figures in place of those before."""
    head, rest = page.split(BEGIN)
    return f"{head}{BEGIN}\n\n{tables(found)}\n\n{END}{rest.split(END)[1]}"


def tables(found: Mapping[str, Any]) -> str:
    """What ran, how long it took, and what each instruction took on both."""
    machine = found["machine"]
    where = f"{machine['cpu']}, {machine['cores']} cores, {found['others_busy_cores']} of them busy with other work"
    lines = [
        f"{found['measured_at']}, {where}; {found['validator']}, {machine['litesvm']}, commit {machine['commit']}.",
        "",
        *_suites(found["suites"]),
        "",
        *_seconds(found),
        "",
        *_compute_units(found["compute_units"]),
    ]
    return "\n".join(lines)


def _suites(suites: Mapping[str, Any]) -> list[str]:
    rows = ["| tests | passed | failed |", "|---|---:|---|"]
    for name, one in suites.items():
        rows.append(f"| {name} | {one['passed']} | {', '.join(one['failed']) or 'none'} |")
    return rows


def _seconds(found: Mapping[str, Any]) -> list[str]:
    rows = ["| stage | Agave, s | embedded ledger, s |", "|---|---:|---:|"]
    ledger = found["seconds"]["ledger"]
    for name, seconds in found["seconds"]["validator"].items():
        what = STAGES[name].format(people=found["people"], lines=found["lines"])
        rows.append(f"| {what} | {seconds:.1f} | {f'{ledger[name]:.1f}' if name in ledger else ''} |")
    return rows


def _compute_units(rows: Sequence[Mapping[str, Any]]) -> list[str]:
    shown = ["| instruction | calls | Agave, CU | embedded ledger, CU | |", "|---|---:|---:|---:|---|"]
    for row in rows:
        validator, ledger = _span(row["validator_cu"]), _span(row["ledger_cu"])
        word = "same" if row["validator_cu"] == row["ledger_cu"] else "**differs**"
        shown.append(f"| {row['instruction']} | {len(row['validator_cu'])} | {validator} | {ledger} | {word} |")
    return shown


def _span(values: Sequence[int]) -> str:
    if not values:
        return "-"
    least, most = min(values), max(values)
    return f"{least:,}" if least == most else f"{least:,} - {most:,}"
