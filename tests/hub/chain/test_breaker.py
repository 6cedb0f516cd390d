"""When a node is left alone, for how long, and what ends it."""

from hub.chain.breaker import FAILURES, FIRST_PAUSE_MS, LONGEST_ASKED_MS, LONGEST_PAUSE_MS, Breaker
from hub.clock import ManualClock


def opened(clock: ManualClock) -> Breaker:
    breaker = Breaker(clock)
    for _ in range(FAILURES):
        assert breaker.admits()
        breaker.failed()
    return breaker


def test_it_opens_after_failures_in_a_row_only() -> None:
    breaker = Breaker(ManualClock(0))
    for _ in range(FAILURES):
        breaker.failed()
        breaker.succeeded()
    for _ in range(FAILURES - 1):
        breaker.failed()
    assert (breaker.state, breaker.admits()) == ("closed", True)
    breaker.failed()
    assert (breaker.state, breaker.admits()) == ("open", False)


def test_one_call_probes_and_the_others_wait_for_it() -> None:
    clock = ManualClock(0)
    breaker = opened(clock)
    clock.advance(FIRST_PAUSE_MS)
    assert (breaker.state, [breaker.admits() for _ in range(3)]) == ("half open", [True, False, False])
    breaker.succeeded()
    assert (breaker.state, breaker.admits()) == ("closed", True)


def test_the_pause_grows_with_every_probe_that_fails_up_to_a_limit() -> None:
    clock = ManualClock(0)
    breaker, pauses = opened(clock), []
    for _ in range(6):
        pauses.append(breaker.left_ms)
        clock.advance(breaker.left_ms)
        assert breaker.admits()
        breaker.failed()
    assert pauses == [1000, 2000, 4000, 8000, LONGEST_PAUSE_MS, LONGEST_PAUSE_MS]


def test_calls_that_were_on_their_way_do_not_prolong_the_pause() -> None:
    breaker = opened(ManualClock(0))
    breaker.failed()
    assert breaker.left_ms == FIRST_PAUSE_MS


def test_a_probe_that_nobody_waited_for_is_followed_by_another() -> None:
    """Its caller was cancelled: neither success nor failure is told."""
    clock = ManualClock(0)
    breaker = opened(clock)
    for _ in range(3):
        clock.advance(FIRST_PAUSE_MS)
        assert breaker.admits() and not breaker.admits()


def test_a_node_that_asks_for_a_pause_gets_it_at_once() -> None:
    clock = ManualClock(0)
    breaker = Breaker(clock)
    breaker.failed(30_000)
    assert breaker.left_ms == 30_000
    clock.advance(30_000)
    assert breaker.admits()
    breaker.failed(10 * LONGEST_ASKED_MS)
    assert breaker.left_ms == LONGEST_ASKED_MS


def test_a_clock_that_is_set_back_does_not_hold_it_open() -> None:
    clock = ManualClock(10 * LONGEST_ASKED_MS)
    breaker = opened(clock)
    clock.ms = 0
    assert breaker.admits()
