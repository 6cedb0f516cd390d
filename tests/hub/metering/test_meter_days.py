"""Labelled meter-days: every fault is flagged by its rule, honest intervals are not, and in the end no Wh is wrong."""

import json
from pathlib import Path

import pytest

from support.meter_fault_kinds import FAULTS
from support.meter_scores import FIRST_SEED, Score, scores
from support.tree import ROOT

STORED = ROOT / "docs" / "reference" / "oracle_scores.json"
MOST_FALSELY_FLAGGED = 0.001
LEAST_FLAGGED = 0.95


def stored(name: str = "all") -> list[Score]:
    """Returns the scores of the slow run, which the page on the oracle shows, or of ``one_day_of_each`` in it."""
    return [Score(**fields) for fields in json.loads(Path(STORED).read_text())[name]]


@pytest.fixture(scope="module")
def one_day_of_each() -> list[Score]:
    """Returns the scores of one meter-day of each fault."""
    return scores([FIRST_SEED])


@pytest.fixture(scope="module", params=["one_day_of_each", "stored"])
def found(request: pytest.FixtureRequest) -> list[Score]:
    """Returns the scores of one meter-day of each fault, and those that are stored."""
    found: list[Score] = stored() if request.param == "stored" else request.getfixturevalue(request.param)
    return found


def test_the_stored_scores_are_of_this_code(one_day_of_each: list[Score]) -> None:
    """Else: PYTHONPATH=tests python -m support.meter_scores docs/reference/oracle_scores.json, then make docs."""
    assert stored("one_day_of_each") == one_day_of_each


def test_faults_are_flagged_by_their_rule(found: list[Score]) -> None:
    faults = found[1:]
    assert sum(score.flagged for score in faults) >= LEAST_FLAGGED * sum(score.days for score in faults)
    assert [score.name for score in faults] == [fault.name for fault in FAULTS]


def test_honest_intervals_are_not_flagged(found: list[Score]) -> None:
    intervals = sum(score.intervals for score in found)
    assert sum(score.falsely_flagged for score in found) <= MOST_FALSELY_FLAGGED * intervals


def test_no_wh_is_wrong_in_the_end_where_the_truth_can_be_known(found: list[Score]) -> None:
    assert {score.name: score.wrong_last_wh for score in found if score.knowable and score.wrong_last_wh} == {}


def test_nothing_wrong_is_more_than_the_rated_power_gives(found: list[Score]) -> None:
    assert {score.name: score.above_rated_wh for score in found if score.above_rated_wh} == {}


def test_unmeasured_time_is_no_credit(found: list[Score]) -> None:
    assert {score.name: score.credit_wh for score in found if score.credit_wh} == {}


def test_the_stored_scores_are_of_two_hundred_meter_days() -> None:
    assert sum(score.days for score in stored()) >= 200
