"""The back-off of a meter that fails."""

from edge.meters.backoff import MAX_PAUSE_MS, Backoff


def test_back_off_grows_says_so_once_and_ends_with_a_success() -> None:
    backoff = Backoff()
    assert backoff.failed(0) and not backoff.failed(2_000)
    assert not backoff.may_try(5_999) and backoff.may_try(6_000)
    for _ in range(500):
        backoff.failed(0)
    assert backoff.again_at_ms == MAX_PAUSE_MS
    assert backoff.succeeded() and not backoff.succeeded() and backoff.may_try(0)
