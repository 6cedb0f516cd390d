"""Counters: growth, counter events, and what can not be true."""

import pytest

from edge.meters.counters import Counters, judge


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


def test_another_serial_number_is_a_swap() -> None:
    assert judge(Counters(0, 5, 5, "A"), Counters(60, 1, 1, "B"), 10).event == "swap"
    assert judge(None, Counters(60, 1, 1, "B"), 10).event == ""
