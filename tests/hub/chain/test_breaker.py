"""When the circuit breaker of a node opens, for how long, and what closes it."""

from hub.chain.breaker import FAILURE_THRESHOLD, FIRST_PAUSE_MS, MAX_PAUSE_MS, MAX_RETRY_AFTER_MS, CircuitBreaker
from hub.clock import ManualClock


def open_breaker(clock: ManualClock) -> CircuitBreaker:
    breaker = CircuitBreaker(clock)
    for _ in range(FAILURE_THRESHOLD):
        assert breaker.allows_call()
        breaker.record_failure()
    return breaker


def test_it_opens_after_failures_in_a_row_only() -> None:
    breaker = CircuitBreaker(ManualClock(0))
    for _ in range(FAILURE_THRESHOLD):
        breaker.record_failure()
        breaker.record_success()
    for _ in range(FAILURE_THRESHOLD - 1):
        breaker.record_failure()
    assert (breaker.state, breaker.allows_call()) == ("closed", True)
    breaker.record_failure()
    assert (breaker.state, breaker.allows_call()) == ("open", False)


def test_one_call_probes_and_the_others_wait_for_it() -> None:
    clock = ManualClock(0)
    breaker = open_breaker(clock)
    clock.advance(FIRST_PAUSE_MS)
    assert (breaker.state, [breaker.allows_call() for _ in range(3)]) == ("half open", [True, False, False])
    breaker.record_success()
    assert (breaker.state, breaker.allows_call()) == ("closed", True)


def test_the_pause_grows_with_every_probe_that_fails_up_to_a_limit() -> None:
    clock = ManualClock(0)
    breaker, pauses = open_breaker(clock), []
    for _ in range(6):
        pauses.append(breaker.remaining_ms)
        clock.advance(breaker.remaining_ms)
        assert breaker.allows_call()
        breaker.record_failure()
    assert pauses == [1000, 2000, 4000, 8000, MAX_PAUSE_MS, MAX_PAUSE_MS]


def test_calls_that_were_on_their_way_do_not_prolong_the_pause() -> None:
    breaker = open_breaker(ManualClock(0))
    breaker.record_failure()
    assert breaker.remaining_ms == FIRST_PAUSE_MS


def test_a_probe_that_nobody_waited_for_is_followed_by_another() -> None:
    """Its caller was cancelled: neither success nor failure is recorded."""
    clock = ManualClock(0)
    breaker = open_breaker(clock)
    for _ in range(3):
        clock.advance(FIRST_PAUSE_MS)
        assert breaker.allows_call() and not breaker.allows_call()


def test_a_node_that_asks_for_a_pause_gets_it_at_once() -> None:
    clock = ManualClock(0)
    breaker = CircuitBreaker(clock)
    breaker.record_failure(30_000)
    assert breaker.remaining_ms == 30_000
    clock.advance(30_000)
    assert breaker.allows_call()
    breaker.record_failure(10 * MAX_RETRY_AFTER_MS)
    assert breaker.remaining_ms == MAX_RETRY_AFTER_MS


def test_a_clock_that_is_set_back_does_not_hold_it_open() -> None:
    clock = ManualClock(10 * MAX_RETRY_AFTER_MS)
    breaker = open_breaker(clock)
    clock.ms = 0
    assert breaker.allows_call()
