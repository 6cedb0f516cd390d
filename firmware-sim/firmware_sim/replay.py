"""Replays recorded power in place of the model: a CSV file of times and watts by meter becomes a ``PowerSource``.

docs/simulator.md describes the format; every error names the file, the line and the column.
"""

from __future__ import annotations

import csv
import logging
from array import array
from bisect import bisect_right
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from decimal import ROUND_HALF_UP, Decimal
from itertools import pairwise
from pathlib import Path

from firmware_sim.errors import ReplayError

MAX_ROWS = 600_000
MAX_WATTS = 10_000_000
GAP_STEPS = 2
"""A row that holds longer than this many usual steps, the median of the file's, is a gap in the recording."""

log = logging.getLogger(__name__)


class ReplayPower:
    """Each row holds until the next, the last one as long as the one before it; then the first row follows again."""

    def __init__(self, times: array[int], watts: dict[str, array[int]]) -> None:
        self.times = times
        self._watts = watts
        self.span_s = times[-1] - times[0] + (times[-1] - times[-2])

    def segment(self, meter_id: str, site_s: int) -> tuple[int, int]:
        repeats, at_s = divmod(site_s - self.times[0], self.span_s)
        row = bisect_right(self.times, self.times[0] + at_s) - 1
        last = row + 1 == len(self.times)
        end_s = self.span_s if last else self.times[row + 1] - self.times[0]
        return self._watts[meter_id][row], self.times[0] + repeats * self.span_s + end_s


def load_replay(path: Path, meter_ids: Sequence[str], *, hold_gaps: bool = False) -> ReplayPower:
    """Loads a whole file for these meters; over a gap the power before it holds with ``hold_gaps`` only, and says so.

    Raises:
        ReplayError: the file is missing or not as documented, or has a gap.
    """
    try:
        with path.open(newline="", encoding="utf-8-sig") as file:
            return _parse(path, csv.reader(file, strict=True), meter_ids, hold_gaps=hold_gaps)
    except OSError as error:
        raise ReplayError(f"{path} can not be read ({error.strerror}): name a CSV file with --replay") from error
    except UnicodeDecodeError as error:
        raise ReplayError(f"{path} is not UTF-8 text: save it as CSV in UTF-8") from error
    except csv.Error as error:
        raise ReplayError(f"{path} is not CSV: {error}") from error


def _parse(path: Path, lines: Iterator[list[str]], meter_ids: Sequence[str], *, hold_gaps: bool) -> ReplayPower:
    columns = _header(path, next(lines, []), meter_ids)
    times, watts, numbers = array("q"), {name: array("i") for name in columns}, array("i")
    for number, row in enumerate(lines, start=2):
        if not row:
            continue
        if len(times) == MAX_ROWS:
            raise ReplayError(f"{path}:{number}: more than {MAX_ROWS} rows; cut the file")
        if len(row) != len(columns) + 1:
            raise ReplayError(f"{path}:{number}: {len(row)} values where the header has {len(columns) + 1}")
        _append(times, _time(row[0], f"{path}:{number}: column 1 (time)"), f"{path}:{number}: column 1 (time)")
        numbers.append(number)
        for index, name in enumerate(columns):
            watts[name].append(_watts(row[index + 1], f"{path}:{number}: column {index + 2} ({name})"))
    if len(times) < 2:
        raise ReplayError(f"{path} has {len(times)} rows of data; at least 2 are needed to know the step")
    _check_gaps(path, times, numbers, hold_gaps=hold_gaps)
    return ReplayPower(times, watts)


def _check_gaps(path: Path, times: array[int], numbers: array[int], *, hold_gaps: bool) -> None:
    """Refuses gaps, or warns of them; ``numbers`` are the lines of the rows."""
    steps = [later - earlier for earlier, later in pairwise(times)]
    usual_s = sorted(steps)[(len(steps) - 1) // 2]
    gaps = [index for index, step_s in enumerate(steps) if step_s > GAP_STEPS * usual_s]
    if not gaps:
        return
    where = f"{path}:{numbers[gaps[0] + 1]}: column 1 (time)"
    found = f"{steps[gaps[0]]} s since the row before, usual are {usual_s} s ({len(gaps)} such gaps in the file)"
    if not hold_gaps:
        raise ReplayError(f"{where}: {found}: fill the gaps, or hold the power before each with --hold-gaps")
    log.warning("%s: %s: the power before each gap holds until its end", where, found)


def _header(path: Path, header: list[str], meter_ids: Sequence[str]) -> list[str]:
    names = [name.strip() for name in header]
    if not names or names[0] != "time":
        first_column = repr(names[0]) if names else "nothing"
        raise ReplayError(f"{path}:1: column 1 must be 'time', found {first_column}: the header is time,METER_001,...")
    for column, name in enumerate(names[1:], start=2):
        if name not in meter_ids:
            raise ReplayError(f"{path}:1: column {column}: no meter {name!r} in the configuration")
        if name in names[1 : column - 1]:
            raise ReplayError(f"{path}:1: column {column}: {name} is there twice")
    if missing := [name for name in meter_ids if name not in names]:
        raise ReplayError(f"{path}:1: no column for {', '.join(missing)}: every configured meter needs one")
    return names[1:]


def _time(text: str, where: str) -> int:
    try:
        moment = datetime.fromisoformat(text.strip())
    except ValueError as error:
        raise ReplayError(f"{where}: {text!r} is not a time like 2026-06-17T10:00:00Z") from error
    if moment.tzinfo is None:
        raise ReplayError(f"{where}: {text!r} has no zone: end it with Z or an offset like +02:00")
    if moment.microsecond:
        raise ReplayError(f"{where}: {text!r} is not a whole second")
    try:
        return int(moment.astimezone(UTC).timestamp())
    except (OverflowError, ValueError) as error:
        raise ReplayError(f"{where}: {text!r} is outside of the years 1 to 9999 in UTC: correct the time") from error


def _append(times: array[int], at_s: int, where: str) -> None:
    if times and at_s <= times[-1]:
        raise ReplayError(f"{where}: the time is not later than the row before")
    times.append(at_s)


def _watts(text: str, where: str) -> int:
    try:
        value = Decimal(text.strip())
        # Comparing is exact, where abs() would round to the context and overflow at 1e999999999
        possible = value.is_finite() and -MAX_WATTS <= value <= MAX_WATTS
    except ArithmeticError as error:
        raise ReplayError(f"{where}: {text!r} is not a number of watts like -1250 or 830.5") from error
    if not possible:
        raise ReplayError(f"{where}: {text!r} is not between -{MAX_WATTS} and {MAX_WATTS} W")
    return int(value.to_integral_value(ROUND_HALF_UP))
