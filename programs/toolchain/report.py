#!/usr/bin/env python3
"""Writes the table of compute units and binary sizes in programs/README.md, or checks that it still holds.

report.py            measures in the virtual machine and writes the table
report.py --check    fails when an instruction or a program has grown by more than 5 %
"""

import argparse
import re
import sys
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
README = ROOT / "programs/README.md"
BEGIN, END = "<!-- measured: written by toolchain/report.py -->", "<!-- end of measured -->"
TOLERANCE_PERCENT = 5
PROGRAMS = ("governance", "registry", "oracle", "energy_token", "trading")
ROW = re.compile(r"^\| ([^|]+) \| ([\d,]+) \|", re.MULTILINE)

sys.path.insert(0, str(ROOT / "tests"))

from support.programs.measure import Measure, all_measures  # noqa: E402  # found by the line above


@dataclass(frozen=True)
class Growth:
    """A row whose figure has grown; compute units or bytes."""

    name: str
    was: int
    now: int

    def __str__(self) -> str:
        return f"{self.name}: {self.was:,} -> {self.now:,}"


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


def rows(text: str) -> dict[str, int]:
    """Reads the first figure of each row of the tables, by the row's name."""
    return {name: int(figure.replace(",", "")) for name, figure in ROW.findall(text)}


def growths(recorded: str, measured: str) -> list[Growth]:
    """Finds rows that have grown by more than the tolerance, and rows that were not recorded."""
    before = rows(recorded)
    found = [Growth(name, before.get(name, 0), now) for name, now in rows(measured).items()]
    return [growth for growth in found if growth.now * 100 > growth.was * (100 + TOLERANCE_PERCENT)]


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
    grown = growths(recorded, measured)
    for growth in grown:
        sys.stderr.write(f"report.py: {growth}: make it smaller, or run programs/toolchain/report.py and commit\n")
    return 1 if grown else 0


if __name__ == "__main__":
    raise SystemExit(main())
