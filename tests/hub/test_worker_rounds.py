"""What one round of a loop may do to the others when it fails."""

from typing import Any

import pytest

from hub.clock import ManualClock
from hub.db import Pool
from hub.errors import PermanentError, RetryableError
from hub.lease import Lease
from hub.worker import ALARM_S, PAUSE_S, Workplace, _round


@pytest.mark.parametrize(
    ("error", "pause"), [(None, PAUSE_S), (PermanentError("look"), ALARM_S), (ValueError("a bug"), ALARM_S)]
)
async def test_a_failing_round_ends_no_other_loop(pool: Pool, error: Exception | None, pause: float) -> None:
    async def work(_place: Workplace, _lease: Lease) -> None:
        if error is not None:
            raise error

    assert await _round(place(pool), Lease("market", "test", 1), work) == pause


@pytest.mark.parametrize("error", [RetryableError("away"), ConnectionResetError("away")])
async def test_what_passes_is_left_to_the_loop(pool: Pool, error: Exception) -> None:
    async def work(_place: Workplace, _lease: Lease) -> None:
        raise error

    with pytest.raises(type(error)):
        await _round(place(pool), Lease("market", "test", 1), work)


def place(pool: Pool) -> Workplace:
    nothing: Any = None
    return Workplace(nothing, pool, ManualClock(0), nothing, "test", 0)
