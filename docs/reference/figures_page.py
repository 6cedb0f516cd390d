"""The tables of figures in README.md, and docs/figures/README.md with every figure of every file."""

import statistics
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from bench.common.marks import replaced
from docs.reference.measurements import Measurement, Quantity, newest, read

README = Path(__file__).resolve().parents[2] / "README.md"
MARKS = "<!-- {}: written by make docs -->", "<!-- end of {} -->"
PAGE = """# Every figure of every run

Written by `make docs` from the files in this folder, which are what the scripts in `bench/` print with `--json`.
No run is left out because it was slower. *Factor* says how long one core takes for a fixed mix of SHA-256, Ed25519,
MessagePack and sorting: 2 takes twice as long as 1. Files without a factor are older than it, or do not say what it
is over. *Busy* is how many cores worked for something else meanwhile. A figure that ends in `_to_plain` is how many
times as long it takes as the plain part of the same run.
"""


@dataclass(frozen=True)
class Row:
    """A row of README's table: the figure's name in the output of ``bench``, and that of its ratio to the plain."""

    what: str
    bench: str
    figure: str
    to_plain: str = ""


ROWS = (
    Row("readings stored, 60 in a frame, from publishing to commit", "path", "durable_60_a_frame",
        "durable_60_a_frame_to_plain"),
    Row("the same, 1 in a frame", "path", "durable_1_a_frame", "durable_1_a_frame_to_plain"),
    Row("from a frame's planned time to its commit, at half the rate of 60 in a frame, p99", "path",
        "stored_p99_60_a_frame"),
    Row("10,000 participants: price and trades alone, in memory", "path", "clear_10000", "clear_10000_to_plain"),
    Row("10,000 participants: orders, price, trades, utility and checks", "path", "auction_10000",
        "auction_10000_to_plain"),
    Row("10,000 participants: read, cleared and stored", "path", "clear_attested_10000"),
    Row("10,000 trades of 1,000 participants, plan to closed and final", "settle", "seconds_to_closed"),
    Row("transactions of that interval", "settle", "transactions"),
    Row("a single transaction, sent to finalised, p95", "settle", "submit_to_finalised_p95_ms"),
    Row("compute units per settled line", "settle", "cu_per_line"),
    Row("the embedded ledger's start after 100,000 transactions", "ledger_start", "start_100000",
        "start_100000_to_plain"),
)  # fmt: skip


SLOW = {
    "test-random": "random lives of certificates and of a whole campus beside plain models, 100,000 steps each",
    "test-crash": "settling and deploying go on after kills and random faults of RPC nodes, nobody pays twice",
    "test-outage": "the hub, then the network, is away for twelve days: every bill says the energy that was measured",
    "reproduce": "two clean builds of the programs give the SHA-256 of the committed files",
    "validator": "the same client and tests on Agave's own validator ([report](docs/validator.md))",
    "test-anywhere": "every test ten times in random order, with a third of the machine's processor time",
    "test-mutation": "100 small changes to the code of a room (`ROOM=market`): its tests notice at least 90 %",
}
"""Slow targets of the Makefile, and what each shows."""


def readme() -> str:
    """Returns README.md with the tables as the files in docs/figures have them.

    Raises:
        SystemExit: README.md has lost the marks around a table.
    """
    measurements = list(read().values())
    text = README.read_text()
    for name, table in (("figures", _summary(measurements)), ("slow proofs", _slow(measurements))):
        begin, end = (mark.format(name) for mark in MARKS)
        text = replaced(text, begin, end, table)
    return text


def _slow(measurements: Sequence[Measurement]) -> str:
    lines = ["| command | what it shows | how long |", "|---|---|---|"]
    for target, what in SLOW.items():
        name = target.replace("-", "_")
        times_s = [one.figures[name].median for one in measurements if one.bench == "slow" and name in one.figures]
        minutes = (
            f"[{_range(s / 60 for s in times_s)} min](docs/figures/README.md#{name})" if times_s else "not on file"
        )
        lines.append(f"| `make {target}` | {what} | {minutes} |")
    return "\n".join(lines)


def _summary(measurements: Sequence[Measurement]) -> str:
    used = [one for bench in dict.fromkeys(row.bench for row in ROWS) for one in newest(measurements, bench)]
    machines = "; ".join(dict.fromkeys(f"{one.machine.cpu}, {one.machine.cores} cores" for one in used))
    factors = [one.factor for one in used if one.factor]
    factor = f"machine factor {_range(factors)}" if factors else "factor unknown"
    moments = sorted(one.measured_at for one in used)
    dates = " to ".join(dict.fromkeys(f"{moment:%Y-%m-%d}" for moment in (moments[0], moments[-1])))
    busy = max(one.others_busy_cores for one in used)
    lines = [
        f"Measured {dates} on {machines}, {factor}, up to {busy:g} cores busy with other work.",
        "",
        "| what | times as long as its plain part | measured: median (range) | at factor 1 | medians of all files |",
        "|---|---:|---:|---:|---:|",
    ]
    return "\n".join([*lines, *(_row(row, measurements) for row in ROWS)])


def _row(row: Row, measurements: Sequence[Measurement]) -> str:
    every = [one for one in measurements if one.bench == row.bench and row.figure in one.figures]
    latest = newest(every, row.bench)
    figures = [one.figures[row.figure] for one in latest]
    values = [value for figure in figures for value in figure.all_values]
    scaled = [one.at_factor_1(row.figure) for one in latest]
    at_factor_1 = [value for value in scaled if value is not None]
    ratios = [value for one in latest if row.to_plain in one.figures for value in one.figures[row.to_plain].all_values]
    unit = figures[0].unit
    cells = (
        f"[{row.what}](docs/figures/README.md#{row.figure})",
        f"{_number(statistics.median(ratios))} ({_range(ratios)})" if ratios else "",
        f"{_number(statistics.median(values))} {unit} ({_range(values)})",
        f"{_number(statistics.median(at_factor_1))} {unit}" if at_factor_1 else "",
        f"{_range(one.figures[row.figure].median for one in every)} {unit}",
    )
    return "| " + " | ".join(cells) + " |"


def figures_page() -> str:
    """Returns docs/figures/README.md: a table for each figure, a line for each file."""
    measurements = read()
    names: dict[str, tuple[str, Quantity]] = {}
    for one in measurements.values():
        names |= {name: (one.bench, figure) for name, figure in one.figures.items()}
    parts = [PAGE, _files(measurements)]
    for name, (bench, figure) in sorted(names.items(), key=lambda entry: (entry[1][0], entry[0])):
        rows = []
        for file, one in measurements.items():
            if one.bench == bench and (of_file := one.figures.get(name)) is not None:
                spread = map(_number, (of_file.min, of_file.median, of_file.max))
                cells = (*spread, _optional(one.at_factor_1(name)))
                rows.append(f"| [{file}]({file}) | {' | '.join(cells)} |")
        head = f"## {name}\n\n`{bench}` of `bench/`, {figure.unit}: {figure.what}\n"
        table = "| file | least | median | most | at factor 1 |\n|---|---:|---:|---:|---:|"
        parts.append("\n".join([head, table, *rows]) + "\n")
    return "\n".join(parts)


def _files(measurements: dict[str, Measurement]) -> str:
    rows = [
        f"| [{file}]({file}) | {one.measured_at:%Y-%m-%d %H:%M} | {one.machine.commit} "
        f"| {one.machine.cpu}, {one.machine.cores} cores | {_optional(one.factor)} | {one.others_busy_cores:g} |"
        for file, one in measurements.items()
    ]
    head = "| file | when, UTC | commit | machine | factor | busy |\n|---|---|---|---|---:|---:|"
    return "\n".join(["## Files\n", head, *rows]) + "\n"


def _optional(value: float | None) -> str:
    return "" if value is None else _number(value)


def _range(values: Iterable[float]) -> str:
    """The least and the most; one number where both are shown the same."""
    found = list(values)
    return "-".join(dict.fromkeys((_number(min(found)), _number(max(found)))))


def _number(value: float) -> str:
    """Three significant digits, four from 1,000 on, and thousands set apart."""
    rounded = float(f"{value:.3g}" if abs(value) < 1000 else f"{value:.4g}")
    return f"{rounded:,.0f}" if rounded >= 100 else f"{rounded:g}"
