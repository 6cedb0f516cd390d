"""Clocks: quality, steps, and slots that follow the wall clock wherever it jumps."""

import asyncio
from dataclasses import dataclass

import pytest

from edge.poller import next_slot
from edge.runtime.clock import ManualClock, SystemClock, TimeKeeper, kernel_boot_id
from support.waiting import eventually

NOW_MS = 1_780_000_000_000


def test_quality() -> None:
    clock = ManualClock(NOW_MS)
    times = TimeKeeper(clock, bytes(16))
    assert times.quality == "S"
    clock.is_synchronised = False
    assert times.quality == "I"
    clock.ms = 1_000
    assert times.quality == "R"


def test_a_step_is_a_record_and_slewing_is_not() -> None:
    clock = ManualClock(NOW_MS)
    times = TimeKeeper(clock, b"k" * 16)
    for _ in range(100):
        clock.advance(1_000)
        clock.step(5)
        assert times.detect_step() is None
    clock.step(-3_600_000)
    step = times.detect_step()
    assert step is not None
    assert (step.offset_ms, step.kernel_boot_id, step.monotonic_ms) == (-3_600_000, b"k" * 16, clock.monotonic)
    assert times.detect_step() is None


def test_this_machine_has_clocks() -> None:
    clock = SystemClock()
    assert clock.now_ms() > NOW_MS - 10 * 365 * 86_400_000 and clock.monotonic_ms() > 0
    synchronised, error_ms = clock.synchronised()
    assert error_ms >= 0 and (synchronised or error_ms == 0)
    assert len(kernel_boot_id()) == 16


async def test_slots_are_multiples_on_the_wall_clock() -> None:
    clock = ManualClock(NOW_MS + 1)
    waiting = asyncio.create_task(next_slot(clock, 10))
    await asyncio.sleep(0)
    clock.ms = NOW_MS + 10_000
    assert await waiting == NOW_MS // 1000 + 10


@pytest.mark.parametrize("behind_ms", [NOW_MS - 1_000_000, 90 * 86_400_000, 600_000, 60_000])
async def test_after_a_step_forward_the_slot_is_the_one_of_now(behind_ms: int) -> None:
    clock = ManualClock(NOW_MS - behind_ms + 1)
    waiting = asyncio.create_task(next_slot(clock, 60))
    await asyncio.sleep(0)
    clock.ms = NOW_MS + 30_123
    assert await waiting == clock.ms // 1000 // 60 * 60


async def test_a_clock_that_is_set_back_does_not_stop_the_polling() -> None:
    clock = _Watched(NOW_MS + 1)
    waiting = asyncio.create_task(next_slot(clock, 10))
    await clock.looked_at(2)
    clock.ms -= 7_200_000
    await clock.looked_at(2)
    clock.advance(10_000)
    assert await waiting == NOW_MS // 1000 - 7_200 + 10


@dataclass
class _Watched(ManualClock):
    """A clock that tells how often it was looked at."""

    looks: int = 0

    def now_ms(self) -> int:
        self.looks += 1
        return super().now_ms()

    async def looked_at(self, times: int) -> None:
        """Waits until it was looked at so many times more."""
        before = self.looks
        await eventually(lambda: self.looks >= before + times, what="a look at the clock")
