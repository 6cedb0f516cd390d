"""What the checks that need only the chain let be, up to its bound, and why they can not be made, in their words."""

from collections.abc import Callable
from dataclasses import replace

import pytest

from hub.audit.audit import check_interval
from hub.audit.checks import Verdict
from hub.audit.facts import (
    ABORT_AFTER_S,
    LOAD_METER,
    OPEN_WINDOW_S,
    MeterStatus,
    PublicInterval,
    RegisteredMeter,
    SettlementStatus,
)
from hub.units import Wh
from support.programs.public_facts import corrected, first, later, meter, settlement, unattested

Change = Callable[[PublicInterval], PublicInterval]
METERS_MAX_IMPORT_WH, METERS_MAX_EXPORT_WH = 9_000, 3_000
"""Three meters of 10 kW for 15 minutes, and a fifth more; one of them generates."""


def strangers_meter(interval: PublicInterval) -> RegisteredMeter:
    return replace(interval.meters[0], meter_id="METER_004", kind=LOAD_METER, owner=bytes(32))


ACCEPTED: dict[str, Change] = {
    "attested at the last moment": lambda i: first(i, attested_s=i.end_s + OPEN_WINDOW_S),
    "another meter is estimated": lambda i: first(i, meters_valid=2, meters_estimated=1),
    "a meter that was registered at the start is missing in it": lambda i: replace(
        i, meters=(*i.meters, replace(strangers_meter(i), since_s=i.start_s + 1))
    ),
    "a retired meter is missing": lambda i: replace(
        i, meters=(*i.meters, replace(strangers_meter(i), status=MeterStatus.RETIRED))
    ),
    "as much import as meters pass": lambda i: first(i, import_wh=Wh(METERS_MAX_IMPORT_WH)),
    "as much export as generating meters pass": lambda i: corrected(i, export_wh=Wh(METERS_MAX_EXPORT_WH)),
    "opened at the last moment": lambda i: settlement(i, opened_s=i.end_s + OPEN_WINDOW_S),
    "aborted a day after its end": lambda i: settlement(
        i, status=SettlementStatus.ABORTED, closed_s=i.end_s + ABORT_AFTER_S, opened_s=i.end_s + OPEN_WINDOW_S + 1
    ),
    "closed empty, and never opened": lambda i: replace(
        settlement(i, status=SettlementStatus.EMPTY, opened_s=0), journal=None, journal_requested=False
    ),
    "still open on the last second of the day": lambda i: later(
        settlement(i, status=SettlementStatus.OPEN), ABORT_AFTER_S
    ),
    "as much sold as the meter passes": lambda i: first(
        meter(replace(i, meters=(*i.meters, replace(i.meters[0], owner=bytes(32)))), 0, rated_power_w=3_000),
        meters_valid=4,
    ),
    "sold by somebody whose meter was registered since": lambda i: meter(i, 0, owner=bytes(32), since_s=i.start_s + 1),
}

UNCHECKED: dict[str, tuple[Change, dict[str, str]]] = {
    "not attested at the last moment": (
        lambda i: later(unattested(i), OPEN_WINDOW_S),
        {
            "attested_in_time": "not attested yet, and it is not late",
            "meters_attested": "it is not attested",
            "energy_possible": "it is not attested",
            "minted_as_attested": "nothing was minted (yet)",
            "settled_in_time": "not settled yet, and it is not late",
            "not_taken_back": "nothing was settled (yet)",
            "lines_committed": "nothing was settled (yet)",
        },
    ),
    "from before the meters": (
        lambda i: later(
            replace(unattested(i), meters=tuple(replace(one, since_s=i.start_s + 1) for one in i.meters)),
            ABORT_AFTER_S + 1,
        ),
        {
            "attested_in_time": "not attested, and no meter is registered since before its start",
            "settled_in_time": "it is not attested",
        },
    ),
    "not settled on the last second of the day": (
        lambda i: later(replace(i, settlement=None), ABORT_AFTER_S),
        {"settled_in_time": "not settled yet, and it is not late"},
    ),
    "a meter of somebody without a wallet": (
        lambda i: first(i, meters_valid=4, export_wh=Wh(10**6)),
        {
            "energy_possible": "at least 1 meters are of people without a wallet, and only the hub knows what those "
            "can pass"
        },
    ),
    "two such meters in a correction": (
        lambda i: corrected(i, meters_valid=5, export_wh=Wh(10**6)),
        {
            "energy_possible": "at least 2 meters are of people without a wallet, and only the hub knows what those "
            "can pass"
        },
    ),
    "rates of long ago": (
        lambda i: replace(i, rates=None),
        {"charges_in_force": "governance no longer tells the rates of that time: only those of the last days"},
    ),
    "closed empty": (
        lambda i: settlement(i, status=SettlementStatus.EMPTY),
        {
            "lines_committed": "no line counts: the settlement is empty",
            "charges_in_force": "no line counts: the settlement is empty",
            "sellers_generate": "no line counts: the settlement is empty",
        },
    ),
}


@pytest.mark.parametrize("title", ACCEPTED)
def test_what_is_let_be(honest: PublicInterval, title: str) -> None:
    results = check_interval(ACCEPTED[title](honest))
    assert {one.check: one.details for one in results if one.verdict is Verdict.FAILED} == {}


@pytest.mark.parametrize("title", UNCHECKED)
def test_what_can_not_be_checked_says_why(honest: PublicInterval, title: str) -> None:
    change, expected = UNCHECKED[title]
    results = check_interval(change(honest))
    unchecked = {one.check: one.details for one in results if one.verdict is Verdict.UNCHECKED}
    assert {check: unchecked.get(check) for check in expected} == {
        check: (reason,) for check, reason in expected.items()
    }


def test_a_meter_since_the_start_is_missed_and_since_later_is_not(honest: PublicInterval) -> None:
    """One old meter is enough for an interval that nobody attested."""
    late = later(unattested(honest), OPEN_WINDOW_S + 1)
    newer = [replace(one, since_s=honest.start_s + 1) for one in honest.meters]
    one_old = replace(late, meters=(replace(newer[0], since_s=honest.start_s), *newer[1:]))
    assert {one.check for one in check_interval(one_old) if one.verdict is Verdict.FAILED} == {"attested_in_time"}
