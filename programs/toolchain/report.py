#!/usr/bin/env python3
"""Writes the table of compute units and binary sizes in programs/README.md, or checks that it still holds.

report.py            measures in the virtual machine and writes the table
report.py --check    fails when a row of the table is not what is measured; the machine counts alike everywhere
"""

import argparse
import re
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
README = ROOT / "programs/README.md"
BEGIN, END = "<!-- measured: written by toolchain/report.py -->", "<!-- end of measured -->"
PROGRAMS = ("governance", "registry", "oracle", "energy_token", "trading")
ROW = re.compile(r"^\| ([^|]+) (\| .*[\d,]+ \|.*)$", re.MULTILINE)

sys.path.insert(0, str(ROOT / "tests"))

from support.programs.measure import Measure, all_measures  # noqa: E402  # found by the line above


def row_name(measure: Measure) -> str:
    """Names a measure's row in the table."""
    return f"{measure.program}.{measure.instruction}" + (f" ({measure.note})" if measure.note else "")


def table(measures: list[Measure]) -> str:
    """Writes both tables as Markdown, of compute units and of bytes."""
    lines = ["| instruction | CU | address search | CU in all | budget |", "|---|---:|---:|---:|---:|"]
    for measure in measures:
        budget = f"{measure.budget_cu:,}" if measure.budget_cu else ""
        figures = f"{measure.work_cu:,} | {measure.searching_cu:,} | {measure.compute_units:,} | {budget}"
        lines.append(f"| {row_name(measure)} | {figures} |")
    lines += ["", "| program | bytes |", "|---|---:|"]
    lines += [f"| {name}.so | {size:,} |" for name, size in sizes().items()]
    return "\n".join(lines)


def sizes() -> dict[str, int]:
    """Returns the size of each program's binary, in bytes."""
    return {name: (ROOT / f"programs/deploy/{name}.so").stat().st_size for name in PROGRAMS}


def rows(text: str) -> dict[str, str]:
    """Reads the figures of each row of the tables, as they are written, by the row's name."""
    return {name: figures.strip("| ") for name, figures in ROW.findall(text)}


def differences(recorded: str, measured: str) -> list[str]:
    """Names the rows whose figures differ, in either direction, and those that only one of the tables has."""
    before, now = rows(recorded), rows(measured)
    return [
        f"{name}: {before.get(name, 'no row')} -> {now.get(name, 'no row')}"
        for name in {**before, **now}
        if before.get(name) != now.get(name)
    ]


def main() -> int:
    """Writes the tables, or compares them; returns the exit code."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--check", action="store_true", help="compare with the committed table")
    check: bool = parser.parse_args().check
    text = README.read_text()
    head, rest = text.split(BEGIN)
    recorded, tail = rest.split(END)
    measured = table(all_measures())
    if not check:
        README.write_text(f"{head}{BEGIN}\n\n{measured}\n\n{END}{tail}")
        return 0
    changed = differences(recorded, measured)
    for difference in changed:
        sys.stderr.write(f"report.py: {difference}: run programs/toolchain/report.py and commit, if that is meant\n")
    return 1 if changed else 0


if __name__ == "__main__":
    raise SystemExit(main())
