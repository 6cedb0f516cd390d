"""Judges the oracle's core on labelled meter-days: what it flagged, and how many Wh it billed wrong, first and last.

PYTHONPATH=tests python -m support.meter_scores docs/reference/oracle_scores.json      writes those of 200 meter-days
"""

import json
from argparse import ArgumentParser
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from random import Random

from hub.metering.intervals import Span, measure
from hub.metering.readings import IntervalReading, Quality
from support.meter_days import WINDOW_S, MeterDay, Registers, demo_hour, meter_day
from support.meter_fault_kinds import FAULTS
from support.meter_faults import Injected

HARMLESS = {"gap", "boundary_interpolated"}
"""These say how an interval was measured, and nothing against it."""
FIRST_SEED = 1
NEAR_S = WINDOW_S + 3600
"""Intervals farther from a fault do not see it; they are left to the honest days."""
SHARED = {"boundary_shared", "boundary_interpolated"}
"""Touching intervals with these are exact together, while the energy inside was shared out."""


@dataclass
class Score:
    """The sums over the meter-days of a fault, or of honest ones when ``rule`` is empty."""

    name: str
    rule: str
    knowable: bool = True
    days: int = 0
    flagged: int = 0
    intervals: int = 0
    """Intervals that no fault touches."""
    falsely_flagged: int = 0
    wrong_first_wh: int = 0
    """As attested when only readings up to a minute after the interval had come."""
    wrong_last_wh: int = 0
    above_rated_wh: int = 0
    """What intervals had more than the rated power gives and also more than the truth, first or last."""
    credit_wh: int = 0
    """Export of estimates that is more than was truly exported, in intervals without one reading at both ends."""


def scores(seeds: Iterable[int]) -> list[Score]:
    """Returns the score of honest days and of every fault, over a day for each seed."""
    found = [Score("none", "")]
    seeds = list(seeds)
    for seed in seeds:
        for kind in ("load", "generation", "bidirectional"):
            _add(found[0], meter_day(seed, kind, rounding_wh=(1, 10, 100)[seed % 3]), None)
        _add(found[0], meter_day(seed, "load", rounding_wh=1000), None)
        _add(found[0], demo_hour(seed, (1, 5, 10)[seed % 3]), None)
    for fault in FAULTS:
        score = Score(fault.name, "", fault.knowable)
        for seed in seeds:
            day = meter_day(seed, fault.kind)
            injected = fault.inject(day, Random(f"{seed} {fault.name}"))
            score.rule = injected.rule
            _add(score, day, injected)
        found.append(score)
    return found


def _add(score: Score, day: MeterDay, injected: Injected | None) -> None:
    last: list[tuple[Span, IntervalReading]] = []
    is_flagged = False
    for span in day.spans():
        if injected is not None and not _touches(injected, span, NEAR_S):
            continue
        now = _measured(day, span, max(day.readings))
        last.append((span, now))
        if injected is None or not _touches(injected, span, 2 * span.poll_period_s):
            score.intervals += 1
            score.falsely_flagged += now.quality is not Quality.VALID or not set(now.rules) <= HARMLESS
            first = now
        else:
            is_flagged |= injected.rule in now.rules
            first = _measured(day, span, span.end_s + day.poll_period_s)
        truth = day.truth_wh(span.start_s, span.end_s)
        score.wrong_first_wh += _wrong(first, truth)
        rated_wh = day.meter.rated_power_w * span.length_s // 3600
        for reading in (first, now):
            billed = max(reading.energy.import_wh, reading.energy.export_wh)
            if billed > max(rated_wh, *truth):
                score.above_rated_wh += billed - max(rated_wh, *truth)
            if "not_measured" in reading.rules:
                score.credit_wh += max(0, reading.energy.export_wh - truth[1])
    score.days += 1
    score.flagged += is_flagged
    score.wrong_last_wh += sum(_wrong_together(day, part) for part in _parts(last))


def _measured(day: MeterDay, span: Span, arrived_s: int) -> IntervalReading:
    return measure(span, day.meter, day.history(span, arrived_s), day.circumstances(span)).reading


def _touches(injected: Injected, span: Span, near_s: int) -> bool:
    return injected.start_s - near_s <= span.end_s and span.start_s <= injected.end_s + near_s


def _wrong(reading: IntervalReading, truth: Registers) -> int:
    return abs(reading.energy.import_wh - truth[0]) + abs(reading.energy.export_wh - truth[1])


def _parts(readings: Sequence[tuple[Span, IntervalReading]]) -> list[list[tuple[Span, IntervalReading]]]:
    """Cuts a day into intervals, but keeps those together whose energy was shared out between them."""
    parts: list[list[tuple[Span, IntervalReading]]] = []
    for span, reading in readings:
        if parts and SHARED & set(reading.rules) and SHARED & set(parts[-1][-1][1].rules):
            parts[-1].append((span, reading))
        else:
            parts.append([(span, reading)])
    return parts


def _wrong_together(day: MeterDay, part: Sequence[tuple[Span, IntervalReading]]) -> int:
    truth = day.truth_wh(part[0][0].start_s, part[-1][0].end_s)
    billed = [sum(r.energy.import_wh for _, r in part), sum(r.energy.export_wh for _, r in part)]
    return abs(billed[0] - truth[0]) + abs(billed[1] - truth[1])


def main(argv: Sequence[str] | None = None) -> None:
    """Writes the scores of many meter-days to a file of JSON, for the page on the oracle.

    Those of one day of each stand beside them, so that a test sees when the file is older than the code.
    """
    parser = ArgumentParser(description=__doc__)
    parser.add_argument("file", type=Path)
    parser.add_argument("--seeds", type=int, default=6)
    arguments = parser.parse_args(argv)
    seeds = {"one_day_of_each": [FIRST_SEED], "all": range(FIRST_SEED, FIRST_SEED + arguments.seeds)}
    found = {name: [asdict(score) for score in scores(of)] for name, of in seeds.items()}
    arguments.file.write_text(json.dumps(found, indent=1) + "\n")


if __name__ == "__main__":
    main()
