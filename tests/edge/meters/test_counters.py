"""Counters: growth, counter events, and what can not be true."""

import pytest

from edge.meters.counters import STEP_BACK_S, TOLERANCE_WH, Counters, judge


@pytest.mark.parametrize(
    ("before", "now", "seconds", "event", "plausible"),
    [
        ((1_000, 50), (1_010, 50), 60, "", True),
        ((1_000, 50), (1_000, 50), 60, "", True),
        ((1_000, 50), (90_000, 50), 60, "", False),
        ((1_000, 50), (90_000, 50), 7_200, "", True),
        ((1_000, 50), (2_000, 50), -3_600, "", True),
        ((1_000, 50), (90_000, 50), -3_600, "", False),
        ((2**32 - 20, 50), (30, 50), 60, "rollover", True),
        ((999_999_950, 50), (10, 50), 60, "rollover", True),
        ((5_000_000, 4_000_000), (0, 0), 60, "reset", True),
        ((5_000_000, 50), (4_998_000, 50), 60, "step_back", True),
        ((5_000_000, 50), (2_000_000, 50), 60, "", False),
    ],
)
def test_counters(before: tuple[int, int], now: tuple[int, int], seconds: int, event: str, plausible: bool) -> None:
    judgement = judge(Counters(10_000, *before), Counters(10_000 + seconds, *now), 30_000)
    assert (judgement.event, judgement.plausible) == (event, plausible)
    assert bool(judgement.reason) is not plausible


def test_what_is_not_plausible_says_how_much_in_how_long() -> None:
    grown = judge(Counters(10_000, 1_000, 50), Counters(10_060, 90_000, 51), 30_000)
    assert grown.reason == "89000 Wh more in 60 s is not possible"
    fallen = judge(Counters(10_000, 5_000_000, 50), Counters(10_060, 2_000_000, 50), 30_000)
    assert fallen.reason == "the register fell by 3000000 Wh, but not to zero"


@pytest.mark.parametrize("export", [False, True])
def test_each_kind_of_fall_has_its_bound(export: bool) -> None:
    """In a minute 30 kW can be 1,000 Wh, and the tolerance comes on top; a step back is that of an hour and more."""
    most = 2 * 30_000 * 60 // 3600 + TOLERANCE_WH
    back = 2 * 30_000 * STEP_BACK_S // 3600 + TOLERANCE_WH

    def event(before: int, now: int) -> str:
        pairs = ((7, before), (7, now)) if export else ((before, 7), (now, 7))
        judgement = judge(Counters(0, *pairs[0]), Counters(60, *pairs[1]), 30_000)
        return judgement.event if judgement.plausible else "refused"

    assert [event(1_000, 1_000 + most), event(1_000, 1_001 + most)] == ["", "refused"]
    assert [event(2**32 - 10, most - 10), event(2**32 - 10, most - 9)] == ["rollover", "reset"]
    assert [event(10**12, 10**12 - back), event(10**12, 10**12 - back - 1)] == ["step_back", "refused"]
    assert [event(3 * 10**9, most), event(3 * 10**9, most + 1)] == ["reset", "refused"]


def test_another_serial_number_is_a_swap() -> None:
    assert judge(Counters(0, 5, 5, "A"), Counters(60, 1, 1, "B"), 10).event == "swap"
    assert judge(None, Counters(60, 1, 1, "B"), 10).event == ""
