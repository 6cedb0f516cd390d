"""Judges a meter's registers, pure: nothing is believed from one answer.

A reading comes in with what is known of its meter; out come its state letter, what is known from now on, and how a
doubt ended when this reading ended it. ``edge.meters.endings`` says which ending it was.
"""

from dataclasses import dataclass, replace

from edge.meters.endings import Ending, ending
from edge.meters.points import Point, Rules, between_ms, goes_on, letter
from edge.wire.kinds import FELL_OR_FIRST, GOOD, JUMPED

CONFIRMATIONS = 3
"""So many readings in a row that go on from each other are believed."""
PERIODS = 2
"""They are spread over so many poll periods, less a quarter of one: readings come a little early or late."""
OVERTAKEN_MS = 120_000
"""A publication that is older than the newest by no more than this was overtaken by it."""
REMEMBERED_MS, REMEMBERED = 7 * 86_400_000, 4
"""How long registers that were given up are remembered, and how many of them: when they come back, the ones between
were wrong."""
BACKWARDS = 5
"""A register that fell so often in a row runs backwards."""


@dataclass(frozen=True, slots=True)
class Run:
    """Readings in doubt that go on from each other."""

    first: Point
    last: Point
    count: int = 1


@dataclass(frozen=True, slots=True)
class Known:
    """What is known of one meter's registers; nothing of a new meter."""

    baseline: Point | None = None
    """The newest reading that counts."""
    previous: Point | None = None
    """The one before it."""
    run: Run | None = None
    """The candidate for a new baseline, while there is a doubt."""
    given_up: tuple[Point, ...] = ()
    """Baselines that events of the last days took the place of, oldest first."""
    falls: int = 0
    """How often in a row each reading was lower than the one before it."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """A reading's state, and how a doubt ended with it; None when it did not end, or was none."""

    letter: str
    known: Known
    ending: Ending | None = None


def judge(known: Known, now: Point, rules: Rules) -> Verdict:
    """Judges a reading that came after all that are known."""
    if known.baseline is None:
        state = FELL_OR_FIRST
    elif (state := letter(known.baseline, now, rules)) == GOOD:
        baseline = now if now.serial or not known.baseline.serial else replace(now, serial=known.baseline.serial)
        return Verdict(GOOD, Known(baseline, known.baseline, None, _remembered(known.given_up, now)))
    run = known.run
    fell = run is not None and letter(run.last, now, rules) == FELL_OR_FIRST
    falls = known.falls + 1 if fell else 0
    if run is None or not goes_on(run.last, now, rules):
        return Verdict(state, replace(known, run=Run(now, now), falls=falls))
    before_last, run = run.last, Run(run.first, now, run.count + 1)
    if run.count < CONFIRMATIONS or between_ms(run.first, now) < PERIODS * rules.period_ms - rules.period_ms // 4:
        return Verdict(state, replace(known, run=run, falls=0))
    given_up = _remembered(known.given_up, now)
    ended = ending(known.baseline, known.previous, given_up, run.first, now, rules)
    return Verdict(state, _after(known, ended, given_up, before_last, now), ended)


def overtaken(known: Known, now: Point) -> str | None:
    """Returns the state of a publication that a newer one overtook on its way; None when none did.

    It changes nothing of what is known.
    """
    newest = known.baseline if known.run is None else known.run.last
    if newest is None or not 0 < newest.at_ms - now.at_ms <= OVERTAKEN_MS:
        return None
    if known.run is not None or now.import_wh > newest.import_wh or now.export_wh > newest.export_wh:
        return JUMPED if known.run is None else FELL_OR_FIRST
    before = known.previous
    if before is not None and before.at_ms <= now.at_ms:
        return GOOD if now.import_wh >= before.import_wh and now.export_wh >= before.export_wh else FELL_OR_FIRST
    return GOOD


def trouble(known: Known) -> str:
    """Says what is in doubt, in ASCII; empty when nothing is."""
    if known.run is None:
        return ""
    if known.falls >= BACKWARDS:
        return "its registers run backwards: it nets import and export in one; read registers that only grow"
    last = known.run.last
    if known.baseline is None:
        return f"its first readings: {known.run.count} of {CONFIRMATIONS}"
    before = known.baseline
    if before.serial and last.serial and before.serial != last.serial:
        return f"in doubt: serial number {last.serial[:24]}, {before.serial[:24]} before"
    return (
        f"in doubt: import {last.import_wh} Wh after {before.import_wh}, export {last.export_wh} after "
        f"{before.export_wh}"
    )


def _after(known: Known, ended: Ending, given_up: tuple[Point, ...], before_last: Point, now: Point) -> Known:
    """What is known when a doubt has ended."""
    old = known.baseline
    if old is not None and ended.event != "swap":
        now = replace(now, serial=now.serial or old.serial)
    if ended.event == "misread":
        # What was given up at or after the last good reading was wrong itself
        given_up = tuple(point for point in given_up if point.sequence < ended.last_sequence)
    elif old is not None and ended.event != "swap":
        given_up = (*given_up, old)[-REMEMBERED:]
    return Known(now, before_last, None, given_up)


def _remembered(given_up: tuple[Point, ...], now: Point) -> tuple[Point, ...]:
    return tuple(point for point in given_up if between_ms(point, now) <= REMEMBERED_MS) if given_up else ()
